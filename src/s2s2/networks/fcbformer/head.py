"""Prediction head of FCBFormer: both branches together, at the resolution of the image."""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn

from s2s2.networks.fcbformer.blocks import residual_pair


class PredictionHead(nn.Module):
    """Two residual blocks, and a 1 x 1 convolution to the classes.

    Args:
        channels: Of both branches together.
        width: Channels of the blocks.
        classes: Of the logits.

    Shape:
        - features: (batch, channel, height, width).
        - returns: logits, (batch, class, height, width).
    """

    def __init__(self, channels: int, width: int, classes: int) -> None:
        super().__init__()
        self.blocks = residual_pair(channels, width)
        self.classify = nn.Conv2d(width, classes, kernel_size=1)

    def forward(self, features: Tensor) -> Tensor:
        """Return the logits."""
        return cast(Tensor, self.classify(self.blocks(features)))
