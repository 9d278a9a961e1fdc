"""Conditioning of a ControlNet: hint, prompt, value range and grid of what Stable Diffusion is shown.

The hint is the mask in the colours of its classes; the prompt names what kind of image it is and
the classes present; images go to [-1, 1] and three channels, and back; and all lie on a square.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from s2s2.core.types import Image, LabelMap
from s2s2.data.case import Case
from s2s2.data.classes import ClassMap
from s2s2.data.dataset import Dataset
from s2s2.data.grid import padded_side, resize_image, working_shape
from s2s2.errors import GeneratorError


def palette(class_map: ClassMap) -> Tensor:
    """Return the colour of each class, (class, 3), in [0, 1].

    Example:
        >>> palette(ClassMap.parse(["background=0", "polyp=255"]))[0].tolist()
        [0.0, 0.0, 0.0]
    """
    return torch.tensor(class_map.colours, dtype=torch.float32) / 255


def draw_hint(masks: Tensor, colours: Tensor) -> Tensor:
    """Return masks as colour images.

    Args:
        masks: Class ids on the model's grid, brought there by the nearest pixel.
        colours: From `palette`.

    Shape:
        - masks: (batch, height, width).
        - colours: (class, 3).
        - returns: (batch, 3, height, width), in [0, 1].

    Raises:
        GeneratorError: If the mask holds a class that has no colour.
    """
    if masks.numel() and int(masks.max()) >= len(colours):
        raise GeneratorError(
            f"A mask holds class {int(masks.max())}, and the class map has {len(colours)} classes (0 to "
            f"{len(colours) - 1}). Tune and sample with the class map of these masks."
        )
    return colours[masks.long()].movedim(-1, 1).contiguous()


def check_hint(hint: Tensor, latents: Sequence[int], factor: int) -> None:
    """Refuse a hint that does not lie on the grid of the image, or leaves [0, 1].

    Args:
        hint: From `draw_hint`.
        latents: Shape of the latents that it belongs to.
        factor: Pixels a latent, along each side.

    Raises:
        GeneratorError: If size or range differ.
    """
    expected = tuple(size * factor for size in latents[-2:])
    if hint.ndim != 4 or hint.shape[1] != 3 or tuple(hint.shape[-2:]) != expected:
        raise GeneratorError(
            f"The hint has shape {tuple(hint.shape)}, expected (batch, 3, {expected[0]}, {expected[1]}): the "
            f"image's grid, {factor} pixels a latent. Draw it from the mask on the model's grid."
        )
    if not (float(hint.min()) >= 0 and float(hint.max()) <= 1):
        raise GeneratorError(
            f"A hint must lie in [0, 1], got {float(hint.min()):.3g} to {float(hint.max()):.3g}. "
            "Divide colours of 0 to 255 by 255."
        )


def prompt(mask: LabelMap, class_map: ClassMap, modality: str) -> str:
    """Return the prompt for a mask.

    Args:
        mask: Class ids of any shape.
        class_map: Gives the names of the classes; all text but the modality comes from it.
        modality: What the images are.

    Example:
        >>> classes = ClassMap.parse(["background=0", "left_ventricle=1", "myocardium=2"])
        >>> prompt(np.array([0, 2, 1]), classes, "A 2D slice of a cardiac MRI scan")
        'A 2D slice of a cardiac MRI scan showing left ventricle, myocardium'
        >>> prompt(np.array([0]), classes, "A 2D slice of a cardiac MRI scan")
        'A 2D slice of a cardiac MRI scan'
    """
    present = [class_map.names[label].replace("_", " ").strip() for label in np.unique(mask) if label]
    return f"{modality} showing {', '.join(present)}" if present else modality


def to_model(images: Tensor) -> Tensor:
    """Return images as the autoencoder takes them: three channels, in [-1, 1], grey or not.

    Shape:
        - images: (batch, 1 or 3, height, width), in [0, 1].
        - returns: (batch, 3, height, width).

    Raises:
        GeneratorError: If there are other channels or values.

    Example:
        >>> to_model(torch.tensor([0.0, 0.5, 1.0]).reshape(1, 1, 1, 3))[0, :, 0].tolist()
        [[-1.0, 0.0, 1.0], [-1.0, 0.0, 1.0], [-1.0, 0.0, 1.0]]
    """
    check_channels(images.shape[1])
    if images.numel() and not (float(images.min()) >= 0 and float(images.max()) <= 1):
        raise GeneratorError(
            f"Images for Stable Diffusion must lie in [0, 1], got {float(images.min()):.3g} to "
            f"{float(images.max()):.3g}. Read them through Dataset.image."
        )
    return (2 * images - 1).expand(-1, 3, -1, -1)


def from_model(images: Tensor, channels: int) -> Tensor:
    """Return what the autoencoder gave as the project's images: clipped, grey as the mean of the channels.

    A NaN stays one, so that it is seen.

    Shape:
        - images: (batch, 3, height, width), about [-1, 1].
        - returns: (batch, channels, height, width), in [0, 1].

    Example:
        >>> from_model(torch.tensor([-3.0, 0.0, 1.0]).reshape(1, 3, 1, 1), 1).item()
        0.5
    """
    check_channels(channels)
    unit = (images.float() / 2 + 0.5).clamp(0, 1)
    return unit.mean(1, keepdim=True) if channels == 1 else unit


def check_channels(channels: int) -> None:
    """Refuse images that are neither grey nor RGB.

    Raises:
        GeneratorError: If there are other channels than 1 or 3.
    """
    if channels not in (1, 3):
        raise GeneratorError(
            f"Stable Diffusion knows grey and RGB images (1 or 3 channels), got {channels} channels. "
            "Use the generator 'diffusion', which takes any."
        )


def mirrored(array: npt.NDArray[Any], side: int) -> npt.NDArray[Any]:
    """Fill an image or a mask up to a square, at the right and at the bottom, by its own mirror image.

    Image and mask are filled alike, so the square is an image of its mask as the crop is: the
    model never learns that part of a picture is black.

    Shape:
        - array: (.., height, width), neither longer than side.
        - returns: (.., side, side).

    Example:
        >>> mirrored(np.array([[1, 2, 3]]), 4).tolist()[0]
        [1, 2, 3, 3]
    """
    height, width = array.shape[-2:]
    margins = [(0, 0)] * (array.ndim - 2) + [(0, side - height), (0, side - width)]
    return np.pad(array, margins, mode="symmetric")


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

    def mask(self, case: Case) -> LabelMap:
        """Return the mask, (side, side), by the nearest pixel of the file's."""
        return mirrored(self.seen.mask(case), self.side)

    def restore(self, image: Image, case: Case) -> Image:
        """Return an image of the square, (channel, side, side), on the working grid of the case."""
        original = self.train.original_shape(case)
        height, width = working_shape(original, self.seen.size)
        return resize_image(image[:, :height, :width], working_shape(original, self.train.size))
