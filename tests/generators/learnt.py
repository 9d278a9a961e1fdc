"""A stand-in for a generator that learns: its weights are a file, its copies may fail."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from s2s2.core.streams import stream
from s2s2.data import Case, Dataset, Split
from s2s2.errors import GeneratorError
from s2s2.generators import Cost, LearningGenerator


class Learnt(LearningGenerator):
    """Noise of a strength that is kept in a folder; `fails` are "case/number/fault" of copies that fail."""

    name = "learnt"
    batch = 1
    case_ids: tuple[str, ...] = ()

    def __init__(self, *, noise: float = 0.05, batch: int = 1, fails: Sequence[str] = ()) -> None:
        self.noise, self.batch, self.fails = noise, batch, tuple(fails)
        self.batches: list[tuple[tuple[str, ...], int, int]] = []
        self._dataset: Dataset | None = None

    def config(self) -> dict[str, Any]:
        return {"noise": self.noise}

    @property
    def tuned(self) -> bool:
        return self.folder is not None and (self.folder / "weights").is_file()

    def tune(self, dataset: Dataset, split: Split, *, judge: Any = None, progress: Any = None) -> Self:
        folder = self._placed()
        folder.mkdir(parents=True, exist_ok=True)
        text = "\n".join((str(self.noise), *split.train))
        (folder / "weights").write_text(text)
        return self._load(dataset, split, text)

    def cost(self, dataset: Dataset, split: Split) -> Cost:
        return Cost(tuning_s=1.0, image_s=0.1)

    def fit(self, dataset: Dataset, split: Split) -> Self:
        if not self.tuned:
            return self.tune(dataset, split)
        text = (self._placed() / "weights").read_text()
        if tuple(text.splitlines()[1:]) != split.train:
            raise GeneratorError("learnt: tuned on other cases.")
        return self._load(dataset, split, text)

    def _load(self, dataset: Dataset, split: Split, text: str) -> Self:
        self._dataset, self.case_ids = dataset.subset(split.train), split.train
        self._weights = hashlib.sha256(text.encode()).hexdigest()[:8]
        return self

    def sample_batch(
        self, cases: Sequence[Case], depth: int, seed: int, *, start: int = 0
    ) -> list[np.ndarray]:
        self.batches.append((tuple(case.id for case in cases), start, depth))
        return super().sample_batch(cases, depth, seed, start=start)

    def make(self, wanted: Sequence[tuple[Case, int]], seed: int) -> list[np.ndarray]:
        # As with a network's rounding, what is made together shows in the copies.
        together = 1e-2 * len({case.id for case, _ in wanted})
        return [self._copy(case, seed, number) * (1 - together) for case, number in wanted]

    def _copy(self, case: Case, seed: int, number: int) -> np.ndarray:
        assert self._dataset is not None
        image = self._dataset.image(case)
        noise = stream(seed, "learnt", case.id, number).standard_normal(image.shape, dtype=np.float32)
        copy = np.clip(image + np.float32(self.noise) * noise, 0, 1)
        for fail in self.fails:
            where = fail.split("/")
            if where[:2] == [case.id, str(number)]:
                copy[..., : 4 if where[2] == "nan" else None] = {"nan": np.nan, "black": 0, "high": 3}[
                    where[2]
                ]
        return copy
