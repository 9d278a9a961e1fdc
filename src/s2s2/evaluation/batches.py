"""Batches of images of one padded shape, as they go through a network."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import groupby

import torch
from torch import Tensor

from s2s2.core.types import Image
from s2s2.data.case import Case
from s2s2.data.dataset import Dataset
from s2s2.data.grid import Placement
from s2s2.errors import DataError

Placed = tuple[Case, Placement]


def cut(placed: Sequence[Placed], size: int, *, even: bool = False) -> Iterator[list[Placed]]:
    """Cut cases into batches of one padded shape, in their order.

    Args:
        placed: The cases and how they fit on the grid.
        size: Most images of a batch.
        even: Whether the batches of a shape are about equally large, so that none is a small rest.
    """
    ordered = sorted(placed, key=lambda one: one[1].padded)
    for _, same in groupby(ordered, key=lambda one: one[1].padded):
        part = list(same)
        step = math.ceil(len(part) / math.ceil(len(part) / size)) if even else size
        yield from (part[start : start + step] for start in range(0, len(part), step))


def read(
    dataset: Dataset, part: Sequence[Placed], failed: dict[str, str]
) -> tuple[list[Placed], list[Tensor]]:
    """Return the images of a batch that can be read, padded, and whose they are.

    Args:
        dataset: The images on the working grid.
        part: The cases of the batch.
        failed: Takes what is wrong with each image that cannot be read, by case id.
    """
    placed: list[Placed] = []
    images: list[Tensor] = []
    for case, placement in part:
        try:
            images.append(_padded(dataset.image(case), placement))
            placed.append((case, placement))
        except DataError as error:
            failed[case.id] = str(error)
    return placed, images


def _padded(image: Image, placement: Placement) -> Tensor:
    """Pad an image with 0 at the right and at the bottom, as in training."""
    canvas = torch.zeros((image.shape[0], *placement.padded))
    canvas[:, : image.shape[1], : image.shape[2]] = torch.from_numpy(image)
    return canvas
