from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from s2s2.data import Dataset, Split, split_by_group
from s2s2.data.split import TrainingData
from s2s2.generators import build_generator
from s2s2.stack import Stack, build_stack
from tests.drawn import draw_site


@dataclass(frozen=True)
class Home:
    """Drawn cases on a 32 px grid, divided, with a stack of two copies."""

    dataset: Dataset
    split: Split
    stack: Stack

    @property
    def data(self) -> TrainingData:
        return self.split.training(self.dataset)


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    root = tmp_path_factory.mktemp("training")
    dataset = Dataset.open(draw_site(root / "home", cases=16), size=32)
    split = split_by_group(dataset, counts=(10, 2, 4))
    generator = build_generator("appearance")
    stack = build_stack(generator, dataset, split, Path(root / "stack"), depth=2, seed=0)
    return Home(dataset, split, stack)
