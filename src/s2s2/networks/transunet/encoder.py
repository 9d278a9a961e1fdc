"""The encoder: a vision transformer over the features of a ResNet."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from s2s2.networks.transunet.resnet import ResNet

_EPSILON = 1e-6


class Attention(nn.Module):
    """Self-attention of several heads over all tokens.

    Args:
        width: Channels of the tokens.
        heads: Their number divides the width.

    Shape:
        - tokens, returns: (batch, token, channel).
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value, self.out = (nn.Linear(width, width) for _ in range(4))

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the attended tokens."""
        query, key, value = (
            project(tokens).unflatten(2, (self.heads, -1)).transpose(1, 2)
            for project in (self.query, self.key, self.value)
        )
        attended = F.scaled_dot_product_attention(query, key, value)
        return self.out(attended.transpose(1, 2).flatten(2))  # type: ignore[no-any-return]


class Block(nn.Module):
    """Attention and a perceptron, each behind a normalisation and beside its input.

    Args:
        width: Channels of the tokens.
        heads: Of the attention.
        hidden: Width of the perceptron.
        dropout: Share of its values that are dropped in training.

    Shape:
        - tokens, returns: (batch, token, channel).
    """

    def __init__(self, width: int, heads: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=_EPSILON)
        self.attention = Attention(width, heads)
        self.norm2 = nn.LayerNorm(width, eps=_EPSILON)
        self.dense1, self.dense2 = nn.Linear(width, hidden), nn.Linear(hidden, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the tokens of the next block."""
        tokens = tokens + self.attention(self.norm1(tokens))
        hidden = self.dropout(F.gelu(self.dense1(self.norm2(tokens))))
        return tokens + self.dropout(self.dense2(hidden))  # type: ignore[no-any-return]


class Encoder(nn.Module):
    """ResNet to 1/16 of the resolution; its positions are the tokens of a transformer.

    There is no class token. The position embedding is learnt on one square grid; other grids, square or not,
    get it interpolated bilinearly with the corners in place.

    Args:
        channels: Of the images.
        stem: Channels of the ResNet's stem.
        units: Of the ResNet's blocks.
        width: Channels of the tokens.
        depth: Blocks of the transformer.
        heads: Of the attention.
        hidden: Width of the perceptrons.
        grid: Side of the position embedding in tokens.
        dropout: In the transformer.

    Shape:
        - images: (batch, channel, height, width), multiples of 16.
        - returns: features, (batch, width, height / 16, width / 16), and the ResNet's skips.

    Reference:
        Dosovitskiy et al., *An image is worth 16x16 words*, ICLR 2021, arXiv:2010.11929 (hybrid).
    """

    def __init__(
        self,
        channels: int,
        *,
        stem: int,
        units: Sequence[int],
        width: int,
        depth: int,
        heads: int,
        hidden: int,
        grid: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.resnet = ResNet(channels, stem, units)
        self.embedding = nn.Conv2d(self.resnet.width, width, kernel_size=1)
        self.positions = nn.Parameter(torch.empty(1, width, grid, grid))
        self.dropout = nn.Dropout(dropout)
        self.blocks = nn.Sequential(*(Block(width, heads, hidden, dropout) for _ in range(depth)))
        self.norm = nn.LayerNorm(width, eps=_EPSILON)
        nn.init.normal_(self.positions, std=0.02)
        for module in self.blocks.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)

    def forward(self, images: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return the deepest features as a map, and the skips, the deepest first."""
        x, skips = self.resnet(images)
        x = self.embedding(x)
        grid = x.shape[-2:]
        x = x + resized(self.positions, grid)
        tokens = self.norm(self.blocks(self.dropout(x.flatten(2).transpose(1, 2))))
        return tokens.transpose(1, 2).unflatten(2, grid), skips


def resized(positions: Tensor, grid: Sequence[int]) -> Tensor:
    """Interpolate a position embedding to another grid.

    Shape:
        - positions: (1, channel, height, width).
        - returns: (1, channel, *grid).

    Example:
        >>> resized(torch.tensor([[[[0.0, 2.0], [4.0, 6.0]]]]), (2, 3)).tolist()
        [[[[0.0, 1.0, 2.0], [4.0, 5.0, 6.0]]]]
    """
    if tuple(grid) == tuple(positions.shape[-2:]):
        return positions
    return F.interpolate(positions, size=tuple(grid), mode="bilinear", align_corners=True)


def square(tokens: Tensor) -> Tensor:
    """Return the embedding of a square grid's tokens as a map, without that of a class token before them.

    Tokens that form no square are returned as they are.

    Shape:
        - tokens: (1, token, channel).
        - returns: (1, channel, side, side).
    """
    number = tokens.shape[1]
    side = math.isqrt(number)
    if number not in (side**2, side**2 + 1):
        return tokens
    return tokens[:, number - side**2 :].transpose(1, 2).reshape(1, -1, side, side)
