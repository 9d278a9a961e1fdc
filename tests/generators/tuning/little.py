"""The smallest generator that can be tuned: one convolution from noise and mask to image."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from s2s2.core.streams import stream
from s2s2.data import Dataset
from s2s2.data.case import Case
from s2s2.generators.tuning.config import TuneConfig
from s2s2.generators.tuning.engine import run_tuning
from s2s2.generators.tuning.module import TunedModule

SIDE = 32


class LittleModule(TunedModule):
    def __init__(self, train: Dataset, config: TuneConfig) -> None:
        torch.manual_seed(config.seed)
        super().__init__(nn.Sequential(nn.Conv2d(4, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 3, 1)), config)
        self.train_set = train

    def loss(self, batch: Any, noise: torch.Generator) -> Tensor:
        image, mask = batch
        shown = torch.rand(image.shape, generator=noise)
        return functional.mse_loss(self.learnt(torch.cat([shown, mask], 1)), image)

    def sample(self, cases: Sequence[Case], numbers: Sequence[int], seed: int) -> list[np.ndarray]:
        images = []
        for case, number in zip(cases, numbers, strict=True):
            image, mask = item(self.train_set, case)
            shown = stream(seed, "little", case.id, number).random(image.shape, np.float32)
            made = self.learnt(torch.cat([torch.from_numpy(shown), mask])[None])[0]
            height, width = self.train_set.mask(case).shape
            images.append(made.clamp(0, 1).numpy()[:, :height, :width])
        return images


def item(train: Dataset, case: Case) -> tuple[Tensor, Tensor]:
    image, mask = train.image(case), train.mask(case)
    below, right = SIDE - mask.shape[0], SIDE - mask.shape[1]
    return (
        torch.from_numpy(np.pad(image, ((0, 0), (0, below), (0, right)))),
        torch.from_numpy(np.pad(mask, ((0, below), (0, right))).astype(np.float32))[None],
    )


class LittleItems(torch.utils.data.Dataset[tuple[Tensor, Tensor]]):
    def __init__(self, train: Dataset) -> None:
        self.train = train

    def __len__(self) -> int:
        return len(self.train)

    def __getitem__(self, key: tuple[int, int]) -> tuple[Tensor, Tensor]:
        number, turn = key
        image, mask = item(self.train, self.train[number])
        return (image.flip(-1), mask.flip(-1)) if turn % 2 else (image, mask)


def tune_little(train: Dataset, folder: Path, config: TuneConfig, **options: Any) -> dict[str, Any]:
    module = LittleModule(train, config)
    return run_tuning(
        module, LittleItems(train), folder, config, train=train, about={"name": "little"}, **options
    )
