"""Pixels of the mask behind each spatial position of the features: class shares, and pixels to ignore."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from s2s2.errors import ShapeError

SURE = 30.0
"""Logit of the correct class at an ignored pixel; other classes get its negative. Every loss is 0 there."""


def settled(logits: Tensor, mask: Tensor, ignore: Tensor | None) -> Tensor:
    """Return the logits, correct and certain where pixels are ignored, so that no gradient comes from there.

    Shape:
        - logits: (batch, class, *size), or (batch, 1, *size) of the foreground alone.
        - mask: (batch, *size), class ids.
        - ignore: (batch, *size), bool, or None.
        - returns: as `logits`.
    """
    if ignore is None:
        return logits
    classes = torch.arange(logits.shape[1], device=mask.device).view(-1, *[1] * (mask.ndim - 1))
    # A single channel is the foreground's.
    right = mask[:, None] == classes if logits.shape[1] > 1 else mask[:, None] > 0
    return torch.where(ignore[:, None], torch.where(right, SURE, -SURE).to(logits.dtype), logits)


def class_shares(mask: Tensor, distances: Tensor, ignore: Tensor | None = None) -> Tensor:
    """Return which share of each position belongs to each class that occurs in the masks.

    Args:
        mask: Class ids, (batch, *size).
        distances: A tensor with one value per position, (batch, *grid) or (batch, token).
        ignore: Pixels that belong to no class, (batch, *size), or None.

    Returns:
        (class, *shape of `distances`), in [0, 1]; with nothing ignored the classes add up
        to 1 at every position.

    Raises:
        ShapeError: If batch or grid do not fit the mask.

    Example:
        >>> mask = torch.tensor([[[0, 0, 1, 1], [0, 0, 0, 1]]])  # 1 mask of 2 x 4
        >>> class_shares(mask, torch.zeros(1, 1, 2)).tolist()  # on a grid of 1 x 2
        [[[[1.0, 0.25]]], [[[0.0, 0.75]]]]
    """
    shown = torch.stack([mask == k for k in torch.unique(mask)], dim=1)
    return _shares(shown if ignore is None else shown & ~ignore[:, None], distances)


def kept_share(ignore: Tensor, distances: Tensor) -> Tensor:
    """Return which share of each position is not ignored; 1 where the features have no spatial grid.

    Example:
        >>> kept_share(torch.tensor([[[True, False, False, False]]]), torch.zeros(1, 1, 2)).tolist()
        [[[0.5, 1.0]]]
    """
    try:
        return _shares(~ignore[:, None], distances)[0].to(distances.dtype)
    except ShapeError:
        return torch.ones_like(distances)


def _shares(shown: Tensor, distances: Tensor) -> Tensor:
    """The share of each position's area that is True; (batch, channel, *size) gives (channel, *grid)."""
    mask, grid = shown[:, 0], tuple(distances.shape[1:])
    if len(grid) == 1 and mask.ndim > 2:
        grid = _token_grid(grid[0], mask)
    if len(grid) != mask.ndim - 1 or len(distances) != len(mask):
        raise ShapeError(
            f"Features of batch and grid {tuple(distances.shape)} do not fit masks of shape "
            f"{tuple(mask.shape)}. Both need the same batch and number of spatial axes; check channel_dim."
        )
    areas = F.interpolate(shown.float(), size=grid, mode="area")
    return areas.transpose(0, 1).reshape(-1, *distances.shape)


def _token_grid(tokens: int, mask: Tensor) -> tuple[int, ...]:
    """The grid with the mask's aspect ratio that holds this many tokens."""
    size = mask.shape[1:]
    scale = (tokens / math.prod(size)) ** (1 / len(size))
    grid = tuple(round(side * scale) for side in size)
    if math.prod(grid) != tokens:
        raise ShapeError(
            f"{tokens} tokens do not form a grid with the aspect ratio of masks of shape "
            f"{tuple(mask.shape)}. Tap a module whose tokens cover the image evenly (no class token), or use "
            "weighting=None."
        )
    return grid
