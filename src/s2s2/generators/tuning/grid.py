"""Pictures of how far a tuning is: real image, mask, samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow

from s2s2.core.storage import atomic
from s2s2.core.streams import stream
from s2s2.core.types import Image
from s2s2.data.case import Case
from s2s2.data.dataset import Dataset
from s2s2.data.grid import padded_side, resize_image, resize_mask, working_shape

CELL = 128
"""Longer side of an image in the grid, in pixels."""
GAP = 4


@dataclass(frozen=True)
class JudgedCases:
    """The training cases whose samples are judged and drawn.

    Args:
        train: The training cases on the working grid.
        cases: Those that are judged; the first ones are drawn.
    """

    train: Dataset
    cases: tuple[Case, ...]

    @classmethod
    def drawn(cls, train: Dataset, count: int, seed: int) -> JudgedCases:
        """Choose cases by a stream of their own, so that every check judges the same."""
        order = stream(seed, "judged").permutation(len(train))[:count]
        return cls(train, tuple(train[int(place)] for place in order))

    def square(self, images: Sequence[Image]) -> tuple[Image, npt.NDArray[np.uint8]]:
        """Return images and masks, padded at the right and at the bottom to one square.

        Shape:
            - returns: (image, channel, side, side), (image, side, side).
        """
        masks = [self.train.mask(case) for case in self.cases]
        side = padded_side(max(max(mask.shape) for mask in masks))
        batch = np.zeros((len(masks), self.train.channels, side, side), np.float32)
        labels = np.zeros((len(masks), side, side), np.uint8)
        for row, (image, mask) in enumerate(zip(images, masks, strict=True)):
            batch[row, :, : image.shape[1], : image.shape[2]] = image
            labels[row, : mask.shape[0], : mask.shape[1]] = mask
        return batch, labels


def draw_grid(path: Path, judged: JudgedCases, rows: Sequence[tuple[Case, Sequence[Image]]]) -> None:
    """Write one row a case: the real image, its mask in the class map's colours, the samples.

    Args:
        path: A JPEG file.
        judged: Where real images and masks come from.
        rows: Each case with its samples, (channel, height, width) in [0, 1].
    """
    colours = np.array(judged.train.class_map.colours, np.float32) / 255
    lines = []
    for case, samples in rows:
        mask = judged.train.mask(case)
        shape = working_shape(mask.shape, CELL)
        painted: Image = np.moveaxis(colours[resize_mask(mask, shape)], -1, 0).astype(np.float32)
        cells = [_cell(judged.train.image(case), shape), _square(painted)]
        lines.append([*cells, *(_cell(sample, shape) for sample in samples)])
    side = CELL + GAP
    sheet = np.full((3, side * len(lines) - GAP, side * max(map(len, lines)) - GAP), 1, np.float32)
    for row, line in enumerate(lines):
        for column, cell in enumerate(line):
            sheet[:, row * side : row * side + CELL, column * side : column * side + CELL] = cell
    pixels = np.rint(np.moveaxis(sheet, 0, -1) * 255).astype(np.uint8)
    with atomic(path) as temporary:
        Pillow.fromarray(pixels).save(temporary, quality=90)


def _cell(image: Image, shape: tuple[int, int]) -> Image:
    """Return an image of any channels as RGB in a square cell."""
    colour = image if len(image) == 3 else np.repeat(image[:1], 3, axis=0)
    return _square(resize_image(np.clip(colour, 0, 1).astype(np.float32), shape))


def _square(image: Image) -> Image:
    cell = np.ones((3, CELL, CELL), np.float32)
    cell[:, : image.shape[1], : image.shape[2]] = image
    return cell
