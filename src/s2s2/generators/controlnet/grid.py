"""The square that Stable Diffusion sees, and the way back to the working grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from s2s2.core.types import Image
from s2s2.data.case import Case
from s2s2.data.dataset import Dataset
from s2s2.data.grid import padded_side, resize_image, working_shape
from s2s2.generators.controlnet.ranges import mirrored


@dataclass(frozen=True)
class Grid:
    """Training cases on the model's grid.

    An image is read from its file at the model's resolution, with its aspect ratio, and filled
    up to a square by its mirror image. Copies are cropped and resampled to the working grid.

    Args:
        train: The training cases on the working grid.
        seen: The same cases at the model's resolution.
        side: Side of the square in pixels.
    """

    train: Dataset
    seen: Dataset
    side: int

    @classmethod
    def of(cls, train: Dataset, resolution: int, multiple: int) -> Grid:
        """Return the grid whose side is the next multiple of what the networks need."""
        return cls(train, train.resized(resolution), padded_side(resolution, multiple))

    def image(self, case: Case) -> Image:
        """Return the real image, (channel, side, side), in [0, 1]."""
        return mirrored(self.seen.image(case), self.side)

    def mask(self, case: Case) -> npt.NDArray[np.uint8]:
        """Return the mask, (side, side), by the nearest pixel of the file's."""
        return mirrored(self.seen.mask(case), self.side)

    def restore(self, image: Image, case: Case) -> Image:
        """Return an image of the square, (channel, side, side), on the working grid of the case."""
        original = self.train.original_shape(case)
        height, width = working_shape(original, self.seen.size)
        return resize_image(image[:, :height, :width], working_shape(original, self.train.size))
