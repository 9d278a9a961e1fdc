"""A generator for the tests of the stack: real pixels, noise that depends on (seed, case, copy) alone."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any, Self

import numpy as np

from s2s2.core.streams import stream
from s2s2.data import Case, Dataset, Split, split_by_group
from s2s2.generators import Generator
from s2s2.stack import build_stack


class Echo(Generator):
    """The image of the case and noise; may be slow, and may be told to go wrong."""

    name = "echo"
    traits = frozenset({"exact"})
    case_ids: tuple[str, ...] = ()

    def __init__(
        self, *, pause_s: float = 0.0, fault: str = "", fault_copy: int = 0, noise: float = 0.05
    ) -> None:
        self.pause_s, self.fault, self.fault_copy, self.noise = pause_s, fault, fault_copy, noise
        self.asked: list[tuple[str, int, int]] = []
        self._dataset: Dataset | None = None

    def config(self) -> dict[str, Any]:
        return {"noise": self.noise}

    def fit(self, dataset: Dataset, split: Split) -> Self:
        self._dataset, self.case_ids = dataset.subset(split.train), split.train
        return self

    def sample(self, case: Case, depth: int, seed: int, *, start: int = 0) -> np.ndarray:
        assert self._dataset is not None
        self.asked.append((case.id, start, depth))
        image = self._dataset.image(case)
        copies = np.stack(
            [self._copy(image, case.id, seed, number) for number in range(start, start + depth)]
        )
        return copies[:, :, 1:] if self.fault == "shape" else copies

    def _copy(self, image: np.ndarray, case_id: str, seed: int, number: int) -> np.ndarray:
        time.sleep(self.pause_s)
        noise = stream(seed, "echo", case_id, number).standard_normal(image.shape, dtype=np.float32)
        copy = np.clip(image + np.float32(self.noise) * noise, 0, 1)
        if self.fault and number == self.fault_copy:
            copy[0, 0, 0] = {"nan": np.nan, "high": 1.5, "low": -0.25, "shape": 0}[self.fault]
        return copy


def opened(site: Path, size: int = 32) -> tuple[Dataset, Split]:
    dataset = Dataset.open(site, size=size)
    return dataset, split_by_group(dataset, fractions=(0.5, 0.25, 0.25), seed=0)


def build(site: Path, stack: Path, *, pause_s: float = 0.0, depth: int = 4) -> None:
    dataset, split = opened(site)
    build_stack(Echo(pause_s=pause_s), dataset, split, stack, depth=depth, seed=0)


if __name__ == "__main__":
    build(Path(sys.argv[1]), Path(sys.argv[2]), pause_s=float(sys.argv[3]), depth=int(sys.argv[4]))
