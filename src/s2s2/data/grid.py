"""The working grid: how images are resized and padded for a network, and predictions brought back.

An image keeps its aspect ratio: it is scaled until its longer side has the working
size and padded at the right and at the bottom. Its `Placement` brings every prediction
back to the grid of the file.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from s2s2.core.types import Image, LabelMap, RawPixels

if TYPE_CHECKING:
    import torch  # imported where it is used, so that a check of files starts without it

Pixels = TypeVar("Pixels", Image, LabelMap)


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


def padded(array: Pixels, side: int) -> Pixels:
    """Pad an image or mask (..., height, width) with 0 to a square, at the right and at the bottom.

    Example:
        >>> padded(np.ones((1, 2), np.uint8), 2).tolist()
        [[1, 1], [0, 0]]
    """
    height, width = array.shape[-2:]
    return np.pad(array, [(0, 0)] * (array.ndim - 2) + [(0, side - height), (0, side - width)])


def resize_image(image: Image, shape: tuple[int, int]) -> Image:
    """Resample an image of shape (channel, height, width), bilinear, antialiased."""
    return image if image.shape[1:] == shape else _bilinear(image, shape).clamp(0, 1).numpy()


def resize_pixels(pixels: RawPixels, shape: tuple[int, int]) -> RawPixels:
    """Resample uint8 or uint16 pixels (channel, height, width), bilinear, antialiased.

    The type is kept. Of uint8 the resampling itself is done in whole numbers, which
    is several times faster and at most one level off.
    """
    if pixels.shape[1:] == shape:
        return pixels
    if pixels.dtype == np.uint8:
        return _bilinear(pixels, shape).contiguous().numpy()
    top = np.iinfo(pixels.dtype).max
    return np.rint(resize_image(to_unit(pixels), shape) * top).astype(pixels.dtype)


def _bilinear(image: RawPixels, shape: tuple[int, int]) -> torch.Tensor:
    import torch
    from torch.nn import functional

    batch = torch.from_numpy(np.ascontiguousarray(image))[None]
    return functional.interpolate(batch, shape, mode="bilinear", antialias=True, align_corners=False)[0]


def resize_mask(mask: LabelMap, shape: tuple[int, int]) -> LabelMap:
    """Resample a label map of shape (height, width) by the nearest pixel."""
    if mask.shape == shape:
        return mask
    import torch
    from torch.nn import functional

    batch = torch.from_numpy(np.ascontiguousarray(mask))[None, None].float()
    resized = functional.interpolate(batch, shape, mode="nearest-exact")
    return resized[0, 0].to(torch.uint8).numpy()


def to_unit(pixels: RawPixels) -> Image:
    """Scale uint8 or uint16 pixels to float32 in [0, 1]."""
    scaled = pixels.astype(np.float32)
    scaled /= np.float32(np.iinfo(pixels.dtype).max)
    return scaled


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
        """Bring scores of shape (class, *padded) back to (class, *original), bilinear."""
        from torch.nn import functional

        height, width = self.working
        cropped = scores[None, :, :height, :width].float()
        if self.working == self.original:
            return cropped[0]
        return functional.interpolate(cropped, self.original, mode="bilinear", align_corners=False)[0]
