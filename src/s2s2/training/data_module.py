"""Data module of a training: pairs of images to learn from, whole images to validate on."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset as TorchDataset

from s2s2.arms import Arm
from s2s2.core.engine.trainer import StepData
from s2s2.core.streams import stream
from s2s2.data.dataset import Dataset
from s2s2.data.grid import padded, padded_side
from s2s2.data.split import TrainingData
from s2s2.data.transforms.stress import stressed
from s2s2.errors import TrainingError
from s2s2.stack import LiveStack, Stack
from s2s2.stack.paired import PairedDataset
from s2s2.training.config import TrainConfig
from s2s2.training.recipe import cases_per_step


class ValidationCases(TorchDataset[dict[str, Any]]):
    """Whole images of the validation split on their padded working grid, first as they are, then stressed.

    Args:
        dataset: The validation cases.
        side: Height and width of what is returned, in pixels.
        stressed: How many stressed versions of each image follow. They depend on the case alone, so
            that every arm and seed is chosen by the same ones.
    """

    def __init__(self, dataset: Dataset, side: int, stressed: int = 0) -> None:
        self.dataset = dataset
        self.side = side
        self.stressed = stressed

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.dataset) * (1 + self.stressed)

    def __getitem__(self, index: int) -> dict[str, Any]:
        """Return image (channel, side, side), mask (side, side), the case id and whether it is stressed."""
        version, place = divmod(index, len(self.dataset))
        case = self.dataset[place]
        image, mask = self.dataset.image(case), self.dataset.mask(case)
        if version:
            image = stressed(image, stream("stress", case.id, version))
        return {
            "image": torch.from_numpy(padded(image, self.side)),
            "mask": torch.from_numpy(padded(mask, self.side).astype(np.int64)),
            "case": case.id,
            "stressed": version > 0,
        }


def side_of(data: TrainingData) -> int:
    """Return the side of the padded square that holds every image of a training, in pixels."""
    return max(working_side(data.train), working_side(data.validation))


def working_side(dataset: Dataset) -> int:
    """Return the side of the padded square that holds every image of the data set, in pixels."""
    if dataset.size is not None:
        return padded_side(dataset.size)
    return padded_side(max(max(dataset.original_shape(case)) for case in dataset))


class PairModule(StepData):
    """Feeds an arm: the same number of images a step in every one of them.

    Args:
        data: Training and validation cases; test cases cannot be reached from here.
        stack: Synthetic images of the training cases; only arms that show it need one.
        arm: What stands beside the real image.
        config: Settings of the training.
        seed: Of every draw.
    """

    def __init__(
        self, data: TrainingData, stack: Stack | LiveStack | None, arm: Arm, config: TrainConfig, *, seed: int
    ) -> None:
        self.side = side_of(data)
        self.train = PairedDataset(
            data.train,
            stack if arm.view == "stack" else None,
            view=arm.view,
            paired=arm.paired,
            side=self.side,
            patch=config.patch,
            geometry=config.geometry,
            photometric=config.photometric,
            acquisition=config.acquisition,
            slaug=config.slaug if arm.slaug else None,
            marked=config.marked,
            seed=seed,
        )
        self.validation = ValidationCases(data.validation, self.side, config.stressed)
        super().__init__(self.train, config, batch=cases_per_step(arm, config), seed=seed, purpose="order")

    def batch_of(self, ranks: int) -> int:
        """Return the cases of a step that each process takes.

        Raises:
            TrainingError: If they cannot be shared evenly.
        """
        cases, rest = divmod(self.batch, ranks)
        if rest or not cases:
            raise TrainingError(
                f"{self.batch} cases a step cannot be shared evenly by {ranks} processes. "
                "Choose --train.images_per_step so that they can."
            )
        return cases

    def val_dataloader(self) -> DataLoader[dict[str, Any]]:
        """Return the validation images, in order."""
        return DataLoader(self.validation, batch_size=min(8, len(self.validation)), num_workers=0)


def images_per_step(arm: Arm, config: TrainConfig) -> int:
    """Return how many images the network sees a step in this arm."""
    return cases_per_step(arm, config) * arm.views
