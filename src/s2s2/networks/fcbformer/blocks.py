"""Residual block of which all parts of FCBFormer are made."""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn

GROUPS = 32
"""Groups of every normalisation; numbers of channels are multiples of it."""


class ResidualBlock(nn.Module):
    r"""Two convolutions, each after normalisation and activation, beside a short cut.

    With the input $x$ and $c_i(x) = W_i * SiLU(GroupNorm(x))$ the output is $c_2(c_1(x)) + s(x)$, where
    $s$ is the identity, or a 1 x 1 convolution where the number of channels changes.

    Args:
        channels: Of the input, a multiple of 32.
        width: Channels of the output, a multiple of 32.

    Shape:
        - x: (batch, channel, height, width).
        - returns: (batch, width, height, width of the image).
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for incoming in (channels, width):
            layers += [nn.GroupNorm(GROUPS, incoming), nn.SiLU(), nn.Conv2d(incoming, width, 3, padding=1)]
        self.convolve = nn.Sequential(*layers)
        self.skip = nn.Identity() if channels == width else nn.Conv2d(channels, width, kernel_size=1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the sum of both ways."""
        return cast(Tensor, self.convolve(x) + self.skip(x))


def residual_pair(channels: int, width: int) -> nn.Sequential:
    """Return two residual blocks, the first of which changes the number of channels."""
    return nn.Sequential(ResidualBlock(channels, width), ResidualBlock(width, width))
