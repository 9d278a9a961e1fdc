"""What built-in networks have in common: refused numbers and sizes, stems of any channels, a convolution."""

from __future__ import annotations

from torch import Tensor, nn

from s2s2.errors import NetworkError

MOMENTUM = 0.1
"""Share of the images at hand in the running statistics of batch normalisation, at each step. EfficientNet's
own 0.01 would still hold old statistics after the few hundred steps of a small training, and the network
would be judged by them."""


def require_numbers(network: nn.Module, *, channels: int, classes: int) -> None:
    """Refuse a network without channels or without a foreground class.

    Raises:
        NetworkError: If there are fewer than 1 channel or 2 classes.
    """
    if channels < 1 or classes < 2:
        raise NetworkError(
            f"{type(network).__name__} got {channels} channels and {classes} classes. Expected at least 1 "
            "channel and at least 2 classes, the background among them."
        )


def require_multiple(network: nn.Module, images: Tensor, stride: int) -> None:
    """Refuse images whose height or width is no multiple of a stride in pixels.

    Raises:
        NetworkError: If one is none; the message says what to pad to.
    """
    height, width = images.shape[-2:]
    if height % stride or width % stride:
        raise NetworkError(
            f"{type(network).__name__} got images of {height} x {width} pixels. Height and width must be "
            f"multiples of {stride}: pad to {-(-height // stride) * stride} x {-(-width // stride) * stride}."
        )


def repeat_stem(weight: Tensor, channels: int) -> Tensor:
    """Make the kernel of an RGB image one for any number of channels.

    Every input channel gets the mean of the colour kernels times their number over that of the channels, so
    that a grey image, whatever number of channels repeats it, gives what its RGB copy would.

    Shape:
        - weight: (output channel, 3, height, width).
        - returns: (output channel, channel, height, width).

    Example:
        >>> import torch
        >>> repeat_stem(torch.ones(8, 3, 3, 3), 1)[0, :, 0, 0]
        tensor([3.])
    """
    if channels == weight.shape[1]:
        return weight
    return weight.mean(1, keepdim=True).repeat(1, channels, 1, 1) * (weight.shape[1] / channels)


def convolution(channels: int, width: int, *, stride: int = 1) -> nn.Sequential:
    """Return a 3 x 3 convolution with batch normalisation and rectification."""
    return nn.Sequential(
        nn.Conv2d(channels, width, 3, stride, padding=1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(inplace=True),
    )
