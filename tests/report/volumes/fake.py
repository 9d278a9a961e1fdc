"""A small run on volumes as `s2s2 run` leaves it: drawn tubes, and predictions that are bent by slices."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from s2s2.core.types import LabelMap
from s2s2.data.checking.inspection import inspect
from s2s2.data.dataset import Dataset
from s2s2.data.split import Split
from s2s2.data.volumes.config import VolumeConfig
from s2s2.data.volumes.volume import Volume
from s2s2.evaluation.compare import compare
from s2s2.evaluation.folder import PredictionFolder
from s2s2.evaluation.score import score
from s2s2.evaluation.summary import summarise
from s2s2.run.data import open_data
from s2s2.run.folder import RunFolder
from s2s2.run.settings import save_config
from s2s2.stack import build_stack
from tests.drawn_volumes import AFFINE, disc, save
from tests.report.fake import FakeRun, Tinted, _config, _manifest, _training

ARMS = ("baseline", "s2s2")
HOSTILE = "p9_<i>&\"'b"
"""Id of a volume of a stranger."""
_METRICS = ("dice", "hd95", "volume_error_ml")


def volume_run(
    root: Path,
    *,
    arms: tuple[str, ...] = ARMS,
    neighbours: int = 0,
    shape: tuple[int, int, int] = (40, 48, 6),
) -> FakeRun:
    """Write a run folder: six volumes of three patients at home, four of two patients away."""
    folder = RunFolder(root / "run")
    _draw(root / "home", [f"p{patient}_{phase}" for patient in range(3) for phase in "ab"], 0, shape)
    _draw(root / "away", ["p7_a", "p7_b", "p9_a", HOSTILE], 20, shape)
    config = replace(
        _config(root, folder, ("home", "away"), arms, 1),
        groups=r"(p\d+)_",
        volumes=VolumeConfig(neighbours=neighbours),
    )
    save_config(config)
    data = open_data(config)
    split = _split(data.home)
    split.save(folder.split)
    _manifest(("home", "away"), arms).save(folder.manifest)
    for source in data.sources:
        folder.write_check(source, inspect(source.path, groups=config.groups, volumes=config.volumes))
    scores = []
    for arm in arms:
        training = folder.training(arm, 0)
        for domain, dataset in data.tests(split).items():
            predictions = training.predictions(domain)
            for number, volume in enumerate(dataset.volumes):
                predictions.write_volume(volume, bent(dataset, volume, arm, number))
            scores.append(score(predictions.root, dataset).assign(arm=arm, seed=0))
        _training(training, arm, 0)
    table = pd.concat(scores)
    table.to_csv(folder.scores, index=False)
    summarise(table, metrics=_METRICS, draws=200).to_csv(folder.summary, index=False)
    if len(arms) > 1:
        compare(table, baseline=arms[0], metrics=_METRICS, draws=200).to_csv(folder.comparisons, index=False)
    build_stack(Tinted(), data.home.resized(48), split, folder.stack, depth=8, seed=0)
    return FakeRun(folder)


def bent(dataset: Dataset, volume: Volume, arm: str, number: int) -> LabelMap:
    """Return the mask of a volume, shifted the further the higher the slice, and less by s2s2."""
    shift = (1 if arm == "s2s2" else 2) * (1 + number)
    masks = [dataset.original_mask(case) for case in volume.cases]
    return np.stack(
        [
            np.roll(mask, shift * case.slice // 3, axis=1)
            for mask, case in zip(masks, volume.cases, strict=True)
        ]
    )


def predictions_of(fake: FakeRun, arm: str, domain: str) -> PredictionFolder:
    return fake.folder.training(arm, 0).predictions(domain)


def _draw(root: Path, names: list[str], seed: int, shape: tuple[int, int, int]) -> None:
    for number, name in enumerate(names):
        voxels, labels = disc(seed + number, shape)
        save(root / "images" / f"{name}.nii.gz", voxels, AFFINE)
        save(root / "masks" / f"{name}.nii.gz", labels, AFFINE)


def _split(home: Dataset) -> Split:
    def ids(patient: str) -> Any:
        return tuple(case.id for case in home.cases if case.group == patient)

    return Split(ids("p0"), ids("p1"), ids("p2"))
