"""Score tables that were drawn, for the statistics."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

Cell = tuple[str, int, str, str, int, float, str]


def table_of(cells: list[Cell]) -> pd.DataFrame:
    """Scores from (arm, seed, domain, case, class id, dice, status); two cases a group."""
    frame = pd.DataFrame(cells, columns=["arm", "seed", "domain", "case", "class_id", "dice", "status"])
    order = {case: place for place, case in enumerate(dict.fromkeys(frame["case"]))}
    dice = frame["dice"]
    return frame.assign(
        group=[f"g{order[case] // 2}" for case in frame["case"]],
        class_name=[f"class_{label}" for label in frame["class_id"]],
        iou=dice / (2 - dice),
        precision=dice,
        recall=dice,
        hd95=40 * (1 - dice),
        nsd=dice,
        assd=10 * (1 - dice),
        volume_error_ml=math.nan,
        unit="px",
        tolerance=2.0,
    )


def drawn_scores(
    arms: tuple[str, ...] = ("baseline", "duplicate", "s2s2"),
    *,
    seeds: int = 2,
    cases: int = 12,
    gain: float = 0.05,
    domains: tuple[str, ...] = ("home", "away"),
) -> pd.DataFrame:
    """Scores where s2s2 is better than the rest by `gain` on each case, with noise."""
    rng = np.random.default_rng(0)
    difficulty = {(domain, case): rng.uniform(0.4, 0.8) for domain in domains for case in range(cases)}
    cells: list[Cell] = [
        (
            arm,
            seed,
            domain,
            f"case_{case:02d}",
            1,
            float(difficulty[domain, case] + (gain if arm == "s2s2" else 0) + 0.01 * rng.standard_normal()),
            "scored",
        )
        for arm in arms
        for seed in range(seeds)
        for domain in domains
        for case in range(cases)
    ]
    return table_of(cells)
