"""The decoder: cascaded upsampling, joined by the skips of the convolutional encoder."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from s2s2.networks.built_in import convolution


class UpBlock(nn.Module):
    """Double the resolution, join the skip if there is one, convolve twice.

    Shape:
        - x: (batch, channel, height, width).
        - skip: (batch, skip, 2 * height, 2 * width), or None.
        - returns: (batch, width, 2 * height, 2 * width).
    """

    def __init__(self, channels: int, skip: int, width: int) -> None:
        super().__init__()
        self.convolve = nn.Sequential(convolution(channels + skip, width), convolution(width, width))

    def forward(self, x: Tensor, skip: Tensor | None) -> Tensor:
        """Return features at twice the resolution."""
        x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True)
        return cast(Tensor, self.convolve(x if skip is None else torch.cat([x, skip], dim=1)))


class Decoder(nn.Module):
    """A convolution at 1/16, then a block for each doubling of the resolution.

    Args:
        channels: Of the deepest features.
        skips: Channels of the skips, the deepest first; the last blocks have none.
        widths: Channels of the first convolution and of the blocks.

    Shape:
        - x: (batch, channel, height, width).
        - skips: at 2, 4, ... times this resolution.
        - returns: (batch, widths[-1], 2^n * height, 2^n * width) of n blocks.
    """

    def __init__(self, channels: int, skips: Sequence[int], widths: Sequence[int]) -> None:
        super().__init__()
        self.first = convolution(channels, widths[0])
        self.blocks = nn.ModuleList(
            UpBlock(below, skip, width)
            for (below, width), skip in zip(pairwise(widths), (*skips, *(0 for _ in widths)), strict=False)
        )

    def forward(self, x: Tensor, skips: Sequence[Tensor]) -> Tensor:
        """Return the output of the last block."""
        x = self.first(x)
        for index, block in enumerate(self.blocks):
            x = block(x, skips[index] if index < len(skips) else None)
        return x
