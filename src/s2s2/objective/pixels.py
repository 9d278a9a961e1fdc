"""Masks in one form; pixels of the mask behind each spatial position of the features; ignored pixels."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from s2s2.errors import ShapeError
from s2s2.objective.taps.axes import token_grid
from s2s2.objective.taps.outputs import named_tensors

SURE = 30.0
"""Logit of the correct class at an ignored pixel; other classes get its negative. Every loss is 0 there."""

VOID = 255
"""Class id of pixels without a label, by custom."""


def class_ids(mask: Tensor, space: int | None = None) -> Tensor:
    """Return a mask as class ids (batch, *size), int64.

    Args:
        mask: (batch, *size) or (batch, 1, *size), any integers or bool.
        space: Number of its spatial axes; None: an axis of one channel is recognised
            from four axes on.

    Raises:
        ShapeError: If the mask is one-hot, holds floats, or has other axes.

    Example:
        >>> class_ids(torch.tensor([[[[0, 255]]]], dtype=torch.uint8)).tolist()  # (1, 1, 1, 2)
        [[[0, 255]]]
    """
    shape, extra = tuple(mask.shape), mask.ndim > 3 if space is None else mask.ndim == space + 2
    if extra and shape[1] == 1:
        mask = mask.squeeze(1)
    elif space is not None and extra:
        raise ShapeError(
            f"The mask has shape {shape}: it looks one-hot, or holds several labels a pixel. Expected class "
            "ids, (batch, *size) or (batch, 1, *size). "
            f"Give mask.argmax({1 if shape[1] < shape[-1] else -1})."
        )
    elif space is not None and mask.ndim != space + 1:
        raise ShapeError(
            f"The mask has shape {shape}, expected class ids (batch, *size) or (batch, 1, *size) with "
            f"{space} spatial axes. Give one class id per pixel."
        )
    if mask.is_floating_point() or mask.is_complex():
        raise ShapeError(
            f"The mask holds {mask.dtype}, expected integers: one class id per pixel. Give mask.long(), or "
            "(mask > 0.5).long() for probabilities, and turn it into floats inside a loss that wants them."
        )
    return mask.long()


def size_of(mask: Tensor) -> tuple[int, ...]:
    """Return the spatial size of a mask (batch, *size) or (batch, 1, *size)."""
    return tuple(mask.shape[2 if mask.ndim > 3 and mask.shape[1] == 1 else 1 :])


def on_grid(mask: Tensor, distances: Tensor) -> Tensor:
    """Return a mask as class ids (batch, *size) for a distance with one value a position, (batch, *grid).

    Raises:
        ShapeError: As `class_ids`.
    """
    if distances.ndim < 3:  # tokens, or no grid at all
        return class_ids(mask)
    return class_ids(mask, distances.ndim - 1 if mask.ndim == distances.ndim + 1 else mask.ndim - 1)


def fitted(
    mask: Tensor, ignore: Tensor | None, logits: Any, space: int | None = None
) -> tuple[Tensor, Tensor | None]:
    """Bring a mask and what is ignored into the one form, and check them against the logits.

    Args:
        mask: See `class_ids`.
        ignore: bool, (batch, *size) or (batch, 1, *size), or None.
        logits: (batch, class, *size), or a structure of such tensors.
        space: Number of spatial axes of the images, None where nobody knows.

    Returns:
        The class ids and what is ignored, both (batch, *size).

    Raises:
        ShapeError: If one of them does not fit the others.
    """
    found = [tensor for _, tensor in named_tensors("logits", logits) if tensor.ndim > 2]
    axes = _spatial_axes(mask, found[0], space) if found else None
    if found and len(mask) != len(found[0]):
        raise ShapeError(
            f"There are {len(mask)} masks, of shape {tuple(mask.shape)}, for logits of shape "
            f"{tuple(found[0].shape)}. Give one mask per image."
        )
    ids = class_ids(mask, axes)
    if ignore is None:
        return ids, None
    if ignore.ndim == ids.ndim + 1 and ignore.shape[1] == 1:
        ignore = ignore.squeeze(1)
    if ignore.shape != ids.shape or ignore.dtype != torch.bool:
        raise ShapeError(
            f"ignore must be bool of the mask's shape {tuple(ids.shape)}, got {ignore.dtype} "
            f"of {tuple(ignore.shape)}. Give one truth value per pixel."
        )
    return ids, ignore


def _spatial_axes(mask: Tensor, logits: Tensor, space: int | None) -> int:
    """How many spatial axes a mask has that fits logits of images with so many."""
    own = logits.ndim - 2
    if space is None:
        # Logits may be stacked, (batch, head, class, *size), or have no axis of classes, (batch, *size).
        bare = logits.ndim == 3 and logits.shape[1:] == size_of(mask)
        return 2 if bare else min(own, max(mask.ndim - 1, 2))
    bare = logits.ndim == space + 1 and logits.shape[1:] == size_of(mask)
    return space if bare else min(space, own)


def settled(logits: Tensor, mask: Tensor, ignore: Tensor | None) -> Tensor:
    """Return the logits, correct and certain where pixels are ignored, so that no gradient comes from there.

    Shape:
        - logits: (batch, class, *size), or (batch, 1, *size) of the foreground alone.
        - mask: (batch, *size), class ids.
        - ignore: (batch, *size), bool, or None.
        - returns: as `logits`.

    Raises:
        ShapeError: If the logits are not on the mask's grid.
    """
    if ignore is None:
        return logits
    if logits.ndim != mask.ndim + 1 or (len(logits), *logits.shape[2:]) != tuple(mask.shape):
        raise ShapeError(
            f"Pixels of masks of shape {tuple(mask.shape)} are to be ignored, and the logits have shape "
            f"{tuple(logits.shape)}, expected (batch, class, *size) of the same size. Bring them to it "
            "by logits=lambda output: ..., or ignore nothing."
        )
    classes = torch.arange(logits.shape[1], device=mask.device).view(-1, *[1] * (mask.ndim - 1))
    # A single channel is the foreground's.
    right = mask[:, None] == classes if logits.shape[1] > 1 else mask[:, None] > 0
    return torch.where(ignore[:, None], torch.where(right, SURE, -SURE).to(logits.dtype), logits)


def class_shares(
    mask: Tensor, distances: Tensor, ignore: Tensor | None = None, ignore_index: int = VOID
) -> Tensor:
    """Return which share of each position belongs to each class that occurs in the masks.

    Args:
        mask: Class ids, (batch, *size).
        distances: A tensor with one value per position, (batch, *grid) or (batch, token).
        ignore: Pixels that belong to no class, (batch, *size), or None.
        ignore_index: Class id of pixels without a label, which belong to no class either.

    Returns:
        (class, *shape of `distances`), in [0, 1]; with nothing ignored the classes add up
        to 1 at every position.

    Raises:
        ShapeError: If batch or grid do not fit the mask, or an id is negative.

    Example:
        >>> mask = torch.tensor([[[0, 0, 1, 1], [0, 0, 0, 1]]])  # 1 mask of 2 x 4
        >>> class_shares(mask, torch.zeros(1, 1, 2)).tolist()  # on a grid of 1 x 2
        [[[[1.0, 0.25]]], [[[0.0, 0.75]]]]
    """
    labels = [label for label in torch.unique(mask).tolist() if label != ignore_index]
    if labels and labels[0] < 0:
        raise ShapeError(
            f"The mask holds the class id {labels[0]}, expected 0 or more. Name the id of pixels without a "
            f"label: ConsistencyLoss(weighting='class', ignore_index={labels[0]})."
        )
    if not labels:
        return distances.new_zeros((0, *distances.shape))
    if ignore is not None and ignore.shape != mask.shape:
        raise ShapeError(
            f"ignore must have the mask's shape {tuple(mask.shape)}, got {tuple(ignore.shape)}. "
            "Give one truth value per pixel."
        )
    shown = torch.stack([mask == label for label in labels], dim=1)
    return _shares(shown if ignore is None else shown & ~ignore[:, None], distances)


def kept_share(ignore: Tensor, distances: Tensor) -> Tensor:
    """Return which share of each position is not ignored; 1 where the features have no spatial grid.

    Example:
        >>> kept_share(torch.tensor([[[True, False, False, False]]]), torch.zeros(1, 1, 2)).tolist()
        [[[0.5, 1.0]]]
    """
    if len(distances) != len(ignore):
        raise ShapeError(
            f"Features of batch and grid {tuple(distances.shape)} do not fit what is ignored, of shape "
            f"{tuple(ignore.shape)}. Both need the same batch; check channel_dim."
        )
    try:
        return _shares(~ignore[:, None], distances)[0].to(distances.dtype)
    except ShapeError:
        return torch.ones_like(distances)


def _shares(shown: Tensor, distances: Tensor) -> Tensor:
    """The share of each position's area that is True; (batch, channel, *size) gives (channel, *grid)."""
    mask, grid = shown[:, 0], tuple(distances.shape[1:])
    if len(grid) == 1 and mask.ndim > 2:
        grid = token_grid(tokens := grid[0], mask.shape[1:])
        if math.prod(grid) != tokens:
            raise ShapeError(
                f"{tokens} tokens do not form a grid with the aspect ratio of masks of shape "
                f"{tuple(mask.shape)}. Tap a module whose tokens cover the image evenly (no class token), or "
                "use weighting=None."
            )
    if len(grid) != mask.ndim - 1 or len(distances) != len(mask):
        raise ShapeError(
            f"Features of batch and grid {tuple(distances.shape)} do not fit masks of shape "
            f"{tuple(mask.shape)}. Both need the same batch and number of spatial axes; check channel_dim."
        )
    areas = F.interpolate(shown.float(), size=grid, mode="area")
    return areas.transpose(0, 1).reshape(-1, *distances.shape)
