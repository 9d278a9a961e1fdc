"""A small run folder as `s2s2 run` leaves it, made from drawn images and bent predictions."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd
from PIL import Image

from s2s2.data.case import Case
from s2s2.data.dataset import Dataset
from s2s2.data.split import Split
from s2s2.evaluation.compare import compare
from s2s2.evaluation.summary import summarise
from s2s2.stack import Stack, build_stack
from tests.drawn import draw_site

METRICS = ("dice", "iou")


class Tinted:
    """A generator whose copies are the case itself in other light; enough to be shown."""

    name = "tinted"

    def __init__(self) -> None:
        self.dataset: Dataset | None = None
        self.case_ids: tuple[str, ...] = ()

    def fit(self, dataset: Dataset, split: Split) -> Tinted:
        self.dataset, self.case_ids = dataset, split.train
        return self

    def sample(self, case: Case, depth: int, seed: int, *, start: int = 0) -> np.ndarray:
        image = self.dataset.image(case)
        return np.stack([image * np.float32(0.5 + 0.05 * (start + index)) for index in range(depth)])

    def config(self) -> dict[str, Any]:
        return {}


@dataclass
class FakeRun:
    """What `build_report` is given."""

    folder: Path
    datasets: dict[str, Dataset]
    stack: Stack | None
    train: Dataset | None
    manifest: dict[str, Any]

    def copied(self, root: Path) -> FakeRun:
        """Return the same run in a folder of its own, to be spoilt."""
        return replace(self, folder=Path(shutil.copytree(self.folder, root / "copied")))

    @property
    def arguments(self) -> tuple[Any, ...]:
        return self.folder, self.datasets, self.stack, self.train, self.manifest


Runs = Callable[..., FakeRun]


def fake_run(
    root: Path,
    *,
    domains: tuple[str, ...] = ("home", "away"),
    arms: tuple[str, ...] = ("baseline", "duplicate", "s2s2"),
    seeds: int = 2,
    classes: int = 2,
    channels: int = 3,
    bits: int = 8,
    gains: dict[str, float] | None = None,
) -> FakeRun:
    """Write a run folder; a gain of 1 makes an arm's predictions perfect, 0 leaves them poor."""
    folder = root / "run"
    sites = {
        name: _site(root / name, index, classes=classes, channels=channels, bits=bits)
        for index, name in enumerate(domains)
    }
    home = sites[domains[0]]
    split = Split(home.ids[:4], home.ids[4:6], home.ids[6:])
    datasets = sites | {domains[0]: split.testing(home)}
    rows = [
        row
        for arm in arms
        for seed in range(seeds)
        for domain, dataset in datasets.items()
        for row in _predict(
            folder, dataset, domain, arm, seed, (gains or {"baseline": 0.2, "s2s2": 0.9}).get(arm, 0.5)
        )
    ]
    scores = pd.DataFrame(rows)
    scores.to_csv(folder / "scores.csv", index=False)
    summarise(scores, metrics=METRICS, draws=200).to_csv(folder / "summary.csv", index=False)
    if len(arms) > 1:
        compare(scores, baseline=arms[0], metrics=METRICS, draws=200).to_csv(
            folder / "comparisons.csv", index=False
        )
    for arm in arms:
        for seed in range(seeds):
            _training(folder / "arms" / arm / f"seed{seed}", arm, seed)
    split.save(folder / "split.json")
    small = home.resized(48)
    stack = build_stack(Tinted(), small, split, folder / "stack", depth=8, seed=0)
    return FakeRun(folder, datasets, stack, small.subset(split.train), _manifest(domains, arms, seeds, home))


def _site(root: Path, seed: int, *, classes: int, channels: int, bits: int) -> Dataset:
    draw_site(root, cases=14, seed=seed, classes=classes, channels=channels)
    if bits == 16:
        for path in (root / "images").glob("*.png"):
            narrow = np.asarray(Image.open(path)).astype(np.uint16) * 16
            Image.fromarray(narrow).save(path)
    return Dataset.open(root)


def _predict(
    folder: Path, dataset: Dataset, domain: str, arm: str, seed: int, gain: float
) -> list[dict[str, Any]]:
    rng = np.random.default_rng([seed, len(arm), len(domain)])
    place = folder / "arms" / arm / f"seed{seed}" / "predictions" / domain
    place.mkdir(parents=True)
    rows = []
    for case in dataset.cases:
        mask = dataset.original_mask(case)
        shift = round(float(rng.uniform(0, 10) * (1 - gain)))
        prediction = np.roll(mask, shift, axis=1)
        Image.fromarray(prediction).save(place / f"{quote(case.id, safe='')}.png")
        for label, name in enumerate(dataset.class_map.names):
            if label:
                rows.append(_score(mask == label, prediction == label) | {
                    "arm": arm, "seed": seed, "case": case.id, "group": case.group, "domain": domain,
                    "class_id": label, "class_name": name,
                })  # fmt: skip
    return rows


def _score(truth: np.ndarray, prediction: np.ndarray) -> dict[str, Any]:
    both, either, total = (
        (truth & prediction).sum(),
        (truth | prediction).sum(),
        truth.sum() + prediction.sum(),
    )
    if total == 0:
        return {"dice": np.nan, "iou": np.nan, "status": "absent"}
    return {"dice": 2 * both / total, "iou": both / either, "status": "scored"}


def _training(folder: Path, arm: str, seed: int) -> None:
    steps = np.arange(20, 201, 20)
    falls = np.exp(-steps / 80) + 0.02 * seed
    paired = 0.0 if arm == "baseline" else 1.0
    consistent = 0.4 if "s2s2" in arm or "consistency" in arm else 0.0
    table = pd.DataFrame(
        {
            "step": steps,
            "total": falls * (1 + paired),
            "segmentation": falls,
            "synthetic": falls * 1.1 * paired,
            "encoder": falls * consistent,
            "decoder": 0.0,
            "validation_dice": 0.8 - 0.5 * falls,
        }
    )
    table.to_csv(folder / "history.csv", index=False)
    fit = {
        "format": 1,
        "finished": True,
        "best_dice": 0.7,
        "steps": 200,
        "images_seen": 4800,
        "seconds": 61.5 + seed,
    }
    (folder / "fit.json").write_text(json.dumps(fit))


def _manifest(domains: tuple[str, ...], arms: tuple[str, ...], seeds: int, home: Dataset) -> dict[str, Any]:
    return {
        "version": "0.1.0",
        "created": "2026-01-02T03:04:05",
        "command": "s2s2 run --data home --target away",
        "home": domains[0],
        "away": list(domains[1:]),
        "arms": list(arms),
        "seeds": list(range(seeds)),
        "settings": {
            "data": Path("/somewhere/private/home"),
            "size": 48,
            "stack": {"generator": "composite+appearance+boxes", "depth": 8},
            "network": {"name": "efficientnet-lite0-unet"},
            "train": {
                "steps": 200, "images_per_step": 24, "learning_rate": 1e-3, "patch": None,
                "w_syn": 1.0, "alpha_enc": 0.4, "alpha_dec": 0.0, "distance": "cosine",
                "geometry": {"flip_horizontal": 0.5}, "acquisition": {"probability": 0.5},
            },
            "tolerance": 2.0,
        },
        "images_seen": dict.fromkeys(arms, 4800),
        "timings": {"stack": 12.5, "train": 185.0},
        "environment": {"python": "3.12", "torch": "2.13"},
        "attributions": ["Drawn data, free for all use."],
        "as_published": False,
        "class_names": list(home.class_map.names),
    }  # fmt: skip
