"""A small run folder as `s2s2 run` leaves it, made from drawn images and bent predictions."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from s2s2.core.storage import write_json
from s2s2.data.case import Case
from s2s2.data.dataset import Dataset
from s2s2.data.split import Split
from s2s2.evaluation.compare import compare
from s2s2.evaluation.folder import PredictionFolder
from s2s2.evaluation.summary import summarise
from s2s2.generators import Generator
from s2s2.run.config import RunConfig, StackConfig
from s2s2.run.data import RunData, open_data
from s2s2.run.folder import RunFolder, RunManifest, TrainingFolder
from s2s2.run.results import Results
from s2s2.run.settings import load_config, save_config
from s2s2.stack import Stack, build_stack
from s2s2.training.config import TrainConfig
from tests.drawn import draw_site

METRICS = ("dice", "iou")


class Tinted(Generator):
    """A generator whose copies are the case itself in other light; enough to be shown."""

    name = "tinted"
    case_ids: tuple[str, ...] = ()

    def fit(self, dataset: Dataset, split: Split) -> Tinted:
        self.dataset, self.case_ids = dataset, split.train
        return self

    def sample(self, case: Case, depth: int, seed: int, *, start: int = 0) -> np.ndarray:
        image = self.dataset.image(case)
        return np.stack([image * np.float32(0.5 + 0.05 * (start + index)) for index in range(depth)])


@dataclass
class FakeRun:
    """A run folder and shortcuts to what lies in it."""

    folder: RunFolder

    def copied(self, root: Path) -> FakeRun:
        """Return the same run in a folder of its own, to be spoilt."""
        made = FakeRun(RunFolder(Path(shutil.copytree(self.folder.root, root / "copied"))))
        save_config(replace(self.config, output=made.folder.root))
        return made

    def configure(self, **changes: Any) -> FakeRun:
        """Change settings; those of the training by their own names."""
        config = load_config(self.folder.root)
        own = {name: value for name, value in changes.items() if name in RunConfig.__dataclass_fields__}
        train = {name: value for name, value in changes.items() if name not in own}
        save_config(replace(config, output=self.folder.root, **own, train=replace(config.train, **train)))
        return self

    @property
    def results(self) -> Results:
        return Results.read(self.folder)

    @property
    def config(self) -> RunConfig:
        return load_config(self.folder.root)

    @property
    def data(self) -> RunData:
        return open_data(self.config)

    @property
    def tests(self) -> dict[str, Dataset]:
        return self.data.tests(Split.load(self.folder.split))

    @property
    def train(self) -> Dataset:
        return self.data.home.resized(48).subset(Split.load(self.folder.split).train)

    @property
    def stack(self) -> Stack:
        return Stack.open(self.folder.stack)


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
    ids: tuple[str, ...] = (),
    names: tuple[str, ...] | None = None,
) -> FakeRun:
    """Write a run folder.

    A gain of 1 makes an arm's predictions perfect, 0 leaves them poor. The last home cases may
    be given ids of their own, and the classes names.
    """
    folder = RunFolder(root / "run")
    for index, name in enumerate(domains):
        _draw(root / name, index, classes=classes, channels=channels, bits=bits)
    config = _config(root, folder, domains, arms, seeds)
    if ids:
        config = replace(config, data=_renamed(root / domains[0], ids))
    config = replace(config, classes=names)
    save_config(config)
    data = open_data(config)
    home, sites = data.home, {data.home.domain: data.home, **data.away}
    split = Split(home.ids[:4], home.ids[4:6], home.ids[6:])
    split.save(folder.split)
    _manifest(domains, arms).save(folder.manifest)
    tests = sites | {domains[0]: split.testing(home)}
    gains = gains or {"baseline": 0.2, "s2s2": 0.9}
    rows = []
    for arm in arms:
        for seed in range(seeds):
            training = folder.training(arm, seed)
            for domain, dataset in tests.items():
                predictions, gain = training.predictions(domain), gains.get(arm, 0.5)
                rows += _predict(predictions, dataset, domain, arm, seed, gain)
            _training(training, arm, seed)
    scores = pd.DataFrame(rows)
    scores.to_csv(folder.scores, index=False)
    summarise(scores, metrics=METRICS, draws=200).to_csv(folder.summary, index=False)
    if len(arms) > 1:
        compare(scores, baseline=arms[0], metrics=METRICS, draws=200).to_csv(folder.comparisons, index=False)
    build_stack(Tinted(), home.resized(48), split, folder.stack, depth=8, seed=0)
    return FakeRun(folder)


def _draw(root: Path, seed: int, *, classes: int, channels: int, bits: int) -> None:
    draw_site(root, cases=14, seed=seed, classes=classes, channels=channels)
    if bits == 16:
        for path in (root / "images").glob("*.png"):
            narrow = np.asarray(Image.open(path)).astype(np.uint16) * 16
            Image.fromarray(narrow).save(path)


def _renamed(root: Path, ids: tuple[str, ...]) -> Path:
    """Write a manifest that gives the last cases of a site other ids."""
    cases = Dataset.open(root).cases
    names = [*(case.id for case in cases[: -len(ids)]), *ids]
    rows = [
        f"{case.image_path},{case.mask_path},{name},{case.group},{root.name}"
        for case, name in zip(cases, names, strict=True)
    ]
    (root / "cases.csv").write_text("\n".join(["image,mask,case,group,domain", *rows]) + "\n")
    return root / "cases.csv"


def _predict(
    folder: PredictionFolder, dataset: Dataset, domain: str, arm: str, seed: int, gain: float
) -> list[dict[str, Any]]:
    rng = np.random.default_rng([seed, len(arm), len(domain)])
    rows = []
    for case in dataset.cases:
        mask = dataset.original_mask(case)
        shift = round(float(rng.uniform(0, 10) * (1 - gain)))
        prediction = np.roll(mask, shift, axis=1)
        folder.write(case.id, prediction)
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


def _training(folder: TrainingFolder, arm: str, seed: int) -> None:
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
    table.to_csv(folder.history, index=False)
    fit = {"finished": True, "best_dice": 0.7, "steps": 200, "images_seen": 4800, "seconds": 61.5 + seed}
    write_json(folder.root / "fit.json", fit)


def _config(
    root: Path, folder: RunFolder, domains: tuple[str, ...], arms: tuple[str, ...], seeds: int
) -> RunConfig:
    return RunConfig(
        data=root / domains[0],
        target=tuple(root / name for name in domains[1:]),
        output=folder.root,
        size=48,
        arms=arms,
        seeds=seeds,
        stack=StackConfig(depth=8),
        train=TrainConfig(steps=200, images_per_step=24),
        attributions=("Drawn data, free for all use.",),
    )


def _manifest(domains: tuple[str, ...], arms: tuple[str, ...]) -> RunManifest:
    return RunManifest(
        version="0.1.0",
        created="2026-01-02T03:04:05",
        command="s2s2 run --data home --target away",
        home=domains[0],
        away=domains[1:],
        images_seen=dict.fromkeys(arms, 4800),
        timings={"stack": 12.5, "train": 185.0},
        environment={"python": "3.12", "torch": "2.13"},
    )
