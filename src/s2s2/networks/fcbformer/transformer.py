"""Transformer branch of FCBFormer: what is in the image, at a quarter of its resolution."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from s2s2.networks.fcbformer.backbone import build_backbone
from s2s2.networks.fcbformer.blocks import residual_pair


class TransformerBranch(nn.Module):
    r"""PVTv2 whose four stages are brought to one width and one grid, and joined from the deepest up.

    Of stage $k$ with output $x_k$ the *local emphasis* is $e_k = up(r_k(x_k))$: two residual blocks, and
    nearest interpolation to a quarter of the resolution. *Stepwise feature aggregation* starts from
    $a_4 = e_4$ and gives $a_k = q_k([e_k, a_{k+1}])$, two residual blocks on both together. The output
    is $a_1$.

    Args:
        channels: Of the images.
        widths: Channels of the stages, see `build_backbone`.
        depths: Transformer blocks of the stages.
        weights: Of the backbone.

    Shape:
        - images: (batch, channel, height, width), height and width multiples of 32.
        - returns: (batch, 64, height / 4, width / 4).
    """

    width = 64

    def __init__(
        self, channels: int, widths: Sequence[int], depths: Sequence[int], weights: str | None
    ) -> None:
        super().__init__()
        self.backbone = build_backbone(channels, widths, depths, weights)
        self.emphasis = nn.ModuleList(residual_pair(stage, self.width) for stage in widths)
        self.aggregation = nn.ModuleList(residual_pair(2 * self.width, self.width) for _ in widths[1:])

    def forward(self, images: Tensor) -> Tensor:
        """Return the aggregated features."""
        stages: Sequence[Tensor] = self.backbone(images).feature_maps
        grid = stages[0].shape[-2:]
        emphasised = [
            F.interpolate(emphasise(stage), size=grid, mode="nearest")
            for emphasise, stage in zip(self.emphasis, stages, strict=True)
        ]
        aggregated = emphasised[-1]
        for aggregate, stage in zip(reversed(self.aggregation), reversed(emphasised[:-1]), strict=True):
            aggregated = aggregate(torch.cat([stage, aggregated], dim=1))
        return aggregated
