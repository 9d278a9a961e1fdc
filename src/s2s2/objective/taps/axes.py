"""Which axis of a feature holds the channels."""

from __future__ import annotations

import math
from collections.abc import Sequence

from s2s2.errors import ShapeError

_EXTRA_TOKENS = 8
"""So many tokens may belong to no position of the image: class tokens and registers."""


def channel_axis(
    shape: Sequence[int], size: Sequence[int] | None, named: int | None = None, *, last: bool = False
) -> int:
    """Return the axis of a feature's channels.

    Three axes are tokens (batch, token, channel). More are a map, whose other axes keep
    the aspect ratio of the mask: (batch, channel, *size) by custom, and (batch, *size,
    channel) where shape and module agree on that.

    Args:
        shape: Shape of the feature.
        size: Spatial size of the mask, or None.
        named: The axis that a user named, which is taken.
        last: Whether what returned the feature works on the last axis, as `nn.Linear` and
            `nn.LayerNorm` do.

    Raises:
        ShapeError: If the shape speaks against the custom and nothing else tells the axis,
            or the named axis is not there.

    Example:
        >>> channel_axis((4, 96, 56, 56), (224, 224))
        1
        >>> channel_axis((4, 56, 56, 96), (224, 224), last=True)
        -1
    """
    ndim = len(shape)
    if ndim < 2:
        raise ShapeError(f"Features have shape {tuple(shape)}, expected (batch, channel, ...) at least.")
    if named is not None:
        if not -ndim < named < ndim or named == 0:
            raise ShapeError(
                f"channel_dim is {named}, but the features have shape {tuple(shape)}. "
                "Give the axis of the channels: 1 for maps, -1 for tokens."
            )
        return named
    axis: int | None = -1 if ndim == 3 else 1
    if size is not None and ndim == 3:
        axis = _of_tokens(shape, size, last)
    elif size is not None and ndim == len(size) + 2:
        axis = _of_map(shape, size, last)
    if axis is not None:
        return axis
    raise ShapeError(
        f"Features of shape {tuple(shape)} for masks of size {tuple(size or ())} do not tell whether their "
        "channels are in axis 1 or in the last one. Name the axis, Tap('name', channel_dim=...) or "
        "ConsistencyLoss(channel_dim=...): 1 for (batch, channel, ...), -1 for (batch, ..., channel)."
    )


def _of_tokens(shape: Sequence[int], size: Sequence[int], last: bool) -> int | None:
    """Axis -1, unless axis 1 cannot be that of the tokens and the last one can."""
    tokens = any(tokens_cover(shape[1] - extra, size) for extra in range(_EXTRA_TOKENS + 1))
    return -1 if last or tokens or not tokens_cover(shape[2], size) else None


def _of_map(shape: Sequence[int], size: Sequence[int], last: bool) -> int | None:
    """The axis that shape and module agree on; what says nothing has no say."""
    first, final = lies_on(shape[2:], size), lies_on(shape[1:-1], size)
    if first != final:
        return 1 if first else (-1 if last else None)
    return None if last else 1


def lies_on(grid: Sequence[int], size: Sequence[int]) -> bool:
    """Tell whether a grid is the size divided by one number, rounded up or down.

    Example:
        >>> lies_on((7, 10), (224, 320)), lies_on((7, 768), (224, 320))
        (True, False)
    """
    low = max(whole / (side + 1) for side, whole in zip(grid, size, strict=True))
    high = min(whole / (side - 1) if side > 1 else math.inf for side, whole in zip(grid, size, strict=True))
    return low < high


def tokens_cover(tokens: int, size: Sequence[int]) -> bool:
    """Tell whether a number of tokens forms a grid with the aspect ratio of a size.

    Example:
        >>> tokens_cover(196, (224, 224)), tokens_cover(197, (224, 224))
        (True, False)
    """
    return tokens > 0 and math.prod(token_grid(tokens, size)) == tokens


def token_grid(tokens: int, size: Sequence[int]) -> tuple[int, ...]:
    """Return the grid with a size's aspect ratio that holds about this many tokens."""
    scale = (tokens / math.prod(size)) ** (1 / len(size))
    return tuple(round(side * scale) for side in size)
