"""Tables of a run, written out by hand: what the report must say of them is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from s2s2.run.folder import RunFolder, RunManifest
from s2s2.run.results import Results


def row(
    domain: str, difference: float, low: float, high: float, p: float = 0.01, **more: Any
) -> dict[str, Any]:
    return {
        "arm": "s2s2", "reference": "baseline", "domain": domain, "metric": "dice", "class_name": "all",
        "n_cases": 48, "n_groups": 40, "n_seeds": 2, "mean_arm": 0.6 + difference, "mean_reference": 0.6,
        "difference": difference, "low": low, "high": high, "better": 30, "worse": 15, "tied": 3, "p_holm": p,
    } | more  # fmt: skip


BETTER = (0.05, 0.02, 0.08)
WORSE = (-0.05, -0.08, -0.02)
OPEN = (0.01, -0.02, 0.04)


def written_run(
    root: Path,
    comparisons: list[dict[str, Any]],
    *,
    home: str | None = "paris",
    domains: tuple[str, ...] = ("paris", "oxford"),
    arms: tuple[str, ...] = ("baseline", "s2s2"),
    seeds: int = 2,
) -> Results:
    scores = [
        {"arm": arm, "seed": seed, "case": "a", "group": "g", "domain": domain, "class_id": 1,
         "class_name": "polyp", "dice": 0.6, "status": "scored"}
        for arm in arms for seed in range(seeds) for domain in domains
    ]  # fmt: skip
    summary = [
        {"arm": arm, "domain": domain, "class_id": -1, "class_name": "all", "metric": "dice", "n_cases": 48,
         "n_groups": 40, "n_seeds": seeds, "n_absent": 0, "mean": 0.6, "low": 0.55, "high": 0.65}
        for arm in arms for domain in domains
    ]  # fmt: skip
    root.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(scores).to_csv(root / "scores.csv", index=False)
    pd.DataFrame(summary).to_csv(root / "summary.csv", index=False)
    if comparisons:
        pd.DataFrame(comparisons).to_csv(root / "comparisons.csv", index=False)
    away = tuple(domain for domain in domains if domain != home)
    RunManifest(home=home, away=away).save(root / "run.json")
    return Results.read(RunFolder(root))
