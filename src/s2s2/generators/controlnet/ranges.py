"""From the project's images to those of Stable Diffusion and back: the one place that does it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor

from s2s2.errors import GeneratorError


def to_model(images: Tensor) -> Tensor:
    """Return images as the autoencoder takes them: three channels, in [-1, 1], grey or not.

    Shape:
        - images: (batch, 1 or 3, height, width), in [0, 1].
        - returns: (batch, 3, height, width).

    Raises:
        GeneratorError: If there are other channels or values.

    Example:
        >>> import torch
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
        >>> import torch
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
