"""The decoder: features of all depths and fine detail of the image, joined from coarse to fine."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from s2s2.networks.built_in import convolution


class Detail(nn.Module):
    """Convolutions on the image itself, for what is finer than a patch.

    Args:
        channels: Of the images.
        widths: Channels of each convolution's output; each halves the resolution.

    Shape:
        - images: (batch, channel, height, width).
        - returns: one (batch, width, height / 2^k, width / 2^k) for k = 1, 2, ..., the finest first.
    """

    def __init__(self, channels: int, widths: Sequence[int]) -> None:
        super().__init__()
        self.stages = nn.ModuleList(
            convolution(below, width, stride=2)
            for below, width in zip((channels, *widths[:-1]), widths, strict=True)
        )

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return the output of every convolution."""
        features = [images]
        for stage in self.stages:
            features.append(stage(features[-1]))
        return features[1:]


class Decoder(nn.Module):
    """From the deepest features to half the resolution, joined by shallower features and detail on the way.

    Args:
        deepest: Channels of the deepest features.
        widths: Channels of the blocks, from coarse to fine, and of the features that they join.
        details: Channels of the detail that they join.

    Shape:
        - features: (batch, width, rows, columns) each, the deepest first.
        - details: at 1/8, 1/4 and 1/2 of the resolution.
        - returns: (batch, widths[-1], height / 2, width / 2).
    """

    def __init__(self, deepest: int, widths: Sequence[int], details: Sequence[int]) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            nn.Sequential(convolution(below + width + detail, width), convolution(width, width))
            for below, width, detail in zip((deepest, *widths[:-1]), widths, details, strict=True)
        )

    def forward(self, features: Sequence[Tensor], details: Sequence[Tensor]) -> Tensor:
        """Return the output of the last block."""
        x = features[0]
        for block, feature, detail in zip(self.blocks, features[1:], details, strict=True):
            size = detail.shape[-2:]
            x = block(torch.cat([_resized(x, size), _resized(feature, size), detail], dim=1))
        return x


def _resized(x: Tensor, size: Sequence[int]) -> Tensor:
    return F.interpolate(x, size=tuple(size), mode="bilinear", align_corners=False)
