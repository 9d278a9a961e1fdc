"""A small run folder as `s2s2 run` leaves it, made from drawn images and bent predictions."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd
from PIL import Image
from tests.drawn import draw_site

from s2s2.data.dataset import Dataset
from s2s2.evaluation.compare import compare
from s2s2.evaluation.summary import summarise

METRICS = ("dice", "iou")


class FakeStack:
    """Copies that are the training image in other colours; enough to be shown."""

    def __init__(self, train: Dataset, depth: int) -> None:
        self.train = train
        self.depth = depth
        self.ids = train.ids
        self.manifest = {"generator": {"name": "fake"}}

    def copy(self, case_id: str, k: int) -> np.ndarray:
        image = self.train.image(self.train.case(case_id))
        return np.clip(image * (0.6 + 0.1 * k), 0, 1).astype(np.float32)


@dataclass
class FakeRun:
    folder: Path
    datasets: dict[str, Dataset]
    stack: Any
    train: Dataset | None
    manifest: dict[str, Any]

    @property
    def arguments(self) -> tuple[Any, ...]:
        return self.folder, self.datasets, self.stack, self.train, self.manifest


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
    """Write a run folder; `gains` says by how much each arm's predictions are better than those of a poor one."""
    folder = root / "run"
    datasets = {
        name: _site(root / name, index, classes=classes, channels=channels, bits=bits)
        for index, name in enumerate(domains)
    }
    home = next(iter(datasets.values()))
    rows = [
        row
        for arm in arms
        for seed in range(seeds)
        for domain, dataset in datasets.items()
        for row in _predict(folder, dataset, domain, arm, seed, (gains or {}).get(arm, 0.5))
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
    split = {
        "format": 1,
        "train": ["t0", "t1", "t2"],
        "validation": ["v0"],
        "test": list(home.ids),
        "seed": 0,
    }
    (folder / "split.json").write_text(json.dumps(split))
    train = home.resized(48)
    return FakeRun(folder, datasets, FakeStack(train, 8), train, _manifest(domains, arms, seeds, home))


def _site(root: Path, seed: int, *, classes: int, channels: int, bits: int) -> Dataset:
    draw_site(root, cases=8, seed=seed, classes=classes, channels=channels)
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
