"""Features as rows, one a spatial position: precision, axis of the channels, weights of positions."""

from __future__ import annotations

import torch
from torch import Tensor

from s2s2.errors import ShapeError
from s2s2.objective.pixels import kept_share, on_grid, size_of
from s2s2.objective.taps.axes import channel_axis


def exact(feature: Tensor) -> Tensor:
    """Return a feature in at least single precision: sums over many channels overflow in half."""
    return feature.float() if feature.dtype in (torch.float16, torch.bfloat16) else feature


def pair_axis(real: Tensor, synthetic: Tensor, mask: Tensor | None, named: int | None) -> int:
    """Return the axis of the channels of two features of one shape.

    Args:
        real: Feature of the real image.
        synthetic: The same of the synthetic image.
        mask: Whose size tells the axis, or None.
        named: The axis where it is known.

    Raises:
        ShapeError: If the shapes differ, or do not tell the axis.
    """
    if real.shape != synthetic.shape:
        raise ShapeError(
            f"Real and synthetic features must have one shape, got {tuple(real.shape)} and "
            f"{tuple(synthetic.shape)}. Give the two images the same size before the network."
        )
    return channel_axis(real.shape, None if mask is None else size_of(mask), named)


def last(feature: Tensor, dim: int) -> Tensor:
    """Return a feature with its channels in the last axis, in at least single precision."""
    return exact(feature).movedim(dim, -1)


def kept(ignore: Tensor | None, grid: Tensor) -> Tensor:
    """Return the weight of every position: the share of its area that is not ignored.

    Shape:
        - ignore: (batch, *size) or (batch, 1, *size), bool, or None.
        - grid: (batch, *grid), any tensor with one value a position.
        - returns: as `grid`, in [0, 1].
    """
    if ignore is None:
        return torch.ones_like(grid)
    return kept_share(on_grid(ignore, grid).bool(), grid)
