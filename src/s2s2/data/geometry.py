"""The working grid: where an image lies while a network looks at it.

An image keeps its aspect ratio: it is scaled until its longer side has the
working size and padded at the right and at the bottom, never squeezed. One
record per image takes every prediction back to the original grid.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional


def working_shape(shape: tuple[int, int], size: int | None) -> tuple[int, int]:
    """Return the height and width of an image of `shape` on the working grid.

    Args:
        shape: Height and width in pixels.
        size: Longer side of the working grid in pixels; None keeps the shape.

    Example:
        >>> working_shape((1080, 1920), 128)
        (72, 128)
    """
    if size is None:
        return shape
    scale = size / max(shape)
    return max(1, round(shape[0] * scale)), max(1, round(shape[1] * scale))


def padded_side(size: int, multiple: int = 32) -> int:
    """Return the smallest multiple of `multiple` that holds `size` pixels."""
    return math.ceil(size / multiple) * multiple


def resize_image(image: npt.NDArray[np.float32], shape: tuple[int, int]) -> npt.NDArray[np.float32]:
    """Resample an image of shape (channel, height, width), bilinear, antialiased."""
    if image.shape[1:] == shape:
        return image
    batch = torch.from_numpy(np.ascontiguousarray(image))[None]
    resized = functional.interpolate(batch, shape, mode="bilinear", antialias=True, align_corners=False)
    return resized[0].clamp(0, 1).numpy()


def resize_mask(mask: npt.NDArray[np.uint8], shape: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """Resample a label map of shape (height, width) by the nearest pixel."""
    if mask.shape == shape:
        return mask
    batch = torch.from_numpy(np.ascontiguousarray(mask))[None, None].float()
    resized = functional.interpolate(batch, shape, mode="nearest-exact")
    return resized[0, 0].to(torch.uint8).numpy()


@dataclass(frozen=True, slots=True)
class Placement:
    """Where an image of the original `shape` lies on a padded working grid.

    Args:
        original: Height and width of the file's image in pixels.
        working: Height and width after scaling.
        padded: Height and width after padding at the right and at the bottom.
    """

    original: tuple[int, int]
    working: tuple[int, int]
    padded: tuple[int, int]

    def restore(self, scores: torch.Tensor) -> torch.Tensor:
        """Take scores of shape (class, *padded) back to (class, *original)."""
        height, width = self.working
        cropped = scores[None, :, :height, :width].float()
        if self.working == self.original:
            return cropped[0]
        return functional.interpolate(cropped, self.original, mode="bilinear", align_corners=False)[0]
