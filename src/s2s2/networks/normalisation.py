"""Normalisation of images: mean and standard deviation of each channel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from s2s2.errors import NetworkError

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Normalisation:
    """Subtract a mean and divide by a standard deviation, channel by channel.

    Args:
        mean: One value a channel, on images in [0, 1].
        std: One value a channel, above 0.

    Raises:
        NetworkError: If the lengths differ or a standard deviation is not above 0.

    Example:
        >>> import torch
        >>> normalise = Normalisation(mean=(0.5,), std=(0.25,))
        >>> normalise(torch.full((1, 1, 1, 2), 1.0)).tolist()
        [[[[2.0, 2.0]]]]
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.mean or len(self.mean) != len(self.std) or min(self.std) <= 0:
            raise NetworkError(
                f"A normalisation needs one mean and one standard deviation above 0 for each channel, "
                f"got mean {self.mean} and std {self.std}."
            )

    def __call__(self, images: Tensor) -> Tensor:
        """Normalise images in [0, 1] of shape (batch, channel, height, width).

        Raises:
            NetworkError: If the images have another number of channels.
        """
        if images.shape[1] != len(self.mean):
            raise NetworkError(
                f"The images have {images.shape[1]} channels, but the network was made for {len(self.mean)}. "
                "Read the images with as many channels, or train a network for these."
            )
        shape = (1, -1) + (1,) * (images.ndim - 2)
        mean, std = images.new_tensor(self.mean).view(shape), images.new_tensor(self.std).view(shape)
        return (images - mean) / std

    def to_dict(self) -> dict[str, Any]:
        """Return the two lists, for JSON."""
        return {"mean": list(self.mean), "std": list(self.std)}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Normalisation:
        """Build a normalisation from what `to_dict` gave."""
        return cls(tuple(content["mean"]), tuple(content["std"]))


def default_normalisation(channels: int) -> Normalisation:
    """Return ImageNet's statistics: by colour for 3 channels, their average for any other number.

    Example:
        >>> default_normalisation(3).mean
        (0.485, 0.456, 0.406)
        >>> default_normalisation(1)
        Normalisation(mean=(0.449,), std=(0.226,))
    """
    if channels == 3:
        return Normalisation(IMAGENET_MEAN, IMAGENET_STD)
    mean, std = (round(sum(values) / 3, 3) for values in (IMAGENET_MEAN, IMAGENET_STD))
    return Normalisation((mean,) * channels, (std,) * channels)
