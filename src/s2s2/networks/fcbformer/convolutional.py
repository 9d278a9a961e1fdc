"""Fully convolutional branch of FCBFormer: a U-Net that keeps what lies between the transformer's patches."""

from __future__ import annotations

from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn

from s2s2.networks.fcbformer.blocks import ResidualBlock, residual_pair

_WIDTHS = (32, 32, 64, 64, 128, 128)


class ConvolutionalBranch(nn.Module):
    """U-Net of residual blocks over six levels, at 1 to 1/32 of the resolution.

    The encoder keeps three features a level, the decoder takes each of them with a residual block of its own.

    Args:
        channels: Of the images.

    Shape:
        - images: (batch, channel, height, width), height and width multiples of 32.
        - returns: (batch, 32, height, width).
    """

    width = _WIDTHS[0]

    def __init__(self, channels: int) -> None:
        super().__init__()
        # A level is entered by a convolution: the first from the image, the others with stride 2.
        entered = (_WIDTHS[0], *_WIDTHS[:-1])
        steps = ((channels, 1), *((width, 2) for width in _WIDTHS[:-1]))
        self.encoder = nn.ModuleList(
            EncoderLevel(nn.Conv2d(before, enter, 3, stride, padding=1), width)
            for (before, stride), enter, width in zip(steps, entered, _WIDTHS, strict=True)
        )
        self.bottleneck = residual_pair(_WIDTHS[-1], _WIDTHS[-1])
        below = (_WIDTHS[-1], *reversed(_WIDTHS))
        self.decoder = nn.ModuleList(
            DecoderLevel(deeper, width, enter, last=level == len(_WIDTHS))
            for level, (deeper, width), enter in zip(
                range(1, len(_WIDTHS) + 1), pairwise(below), reversed(entered), strict=True
            )
        )

    def forward(self, images: Tensor) -> Tensor:
        """Return the features of the last level."""
        x: Tensor = images
        skips: list[list[Tensor]] = []
        for down in self.encoder:
            skips.append(down(x))
            x = skips[-1][-1]
        x = self.bottleneck(x)
        for up, features in zip(self.decoder, reversed(skips), strict=True):
            x = up(x, features)
        return x


class EncoderLevel(nn.Module):
    """Convolution that enters the level, then two residual blocks; the output of all three is kept.

    Args:
        enter: From the level above, or from the image.
        width: Channels of the blocks.
    """

    def __init__(self, enter: nn.Conv2d, width: int) -> None:
        super().__init__()
        self.enter = enter
        self.blocks = residual_pair(enter.out_channels, width)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return three features of one grid, the first of as many channels as the level above has."""
        features = [self.enter(x)]
        for block in self.blocks:
            features.append(block(features[-1]))
        return features


class DecoderLevel(nn.Module):
    """Three residual blocks, each with one of the encoder's features, then twice the resolution.

    Args:
        channels: Of what comes from below.
        width: Channels of the blocks.
        entered: Channels of the first of the encoder's features; the others have `width`.
        last: Whether this is the image's own resolution, so that nothing is interpolated.
    """

    def __init__(self, channels: int, width: int, entered: int, *, last: bool) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            ResidualBlock(x + skip, width)
            for x, skip in ((channels, width), (width, width), (width, entered))
        )
        self.leave: nn.Module = nn.Identity()
        if not last:
            self.leave = nn.Sequential(
                nn.Upsample(scale_factor=2, mode="nearest"), nn.Conv2d(width, width, 3, padding=1)
            )

    def forward(self, x: Tensor, features: list[Tensor]) -> Tensor:
        """Return features on the grid of the level above."""
        for block, skip in zip(self.blocks, reversed(features), strict=True):
            x = block(torch.cat([x, skip], dim=1))
        return cast(Tensor, self.leave(x))
