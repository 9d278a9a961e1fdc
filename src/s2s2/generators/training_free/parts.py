"""Parts of a composite: the case that is placed, and the donor whose foreground is removed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from s2s2.core.types import Image, Indices, Region
from s2s2.generators.training_free.fill import dilate, field_of_view, push_pull
from s2s2.generators.training_free.placing import GRID, Outline, Points, lattice
from s2s2.generators.training_free.pyramid import collapse, gaussian, levels_for, side
from s2s2.generators.training_free.regions import soften

MOST_POINTS = 256
"""How many points of the foreground are tried against a donor's ground."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A case, ready to be set into other surroundings.

    Args:
        image: The case, its dark surround filled.
        weights: The mask's share of the pixels of every scale, finest first.
        thin: Weight of thin parts, such as vessels: 0 in the thick of the mask.
        contrast: What the mask's pixels are beyond the ground they lie in.
        ring: Flat positions of a ring round the mask.
        ring_mean: Mean of the case in the ring where it is lit, or None if nowhere.
        points: Positions (row, column) that a donor's ground is tried at.
        zone: For each point 0 in the mask, 1 close round it, 2 elsewhere.
    """

    image: Image
    weights: tuple[Image, ...]
    thin: Image
    contrast: Image
    ring: Indices
    ring_mean: Image | None
    points: Points
    zone: Indices

    @property
    def nbytes(self) -> int:
        """Memory that this takes, in bytes."""
        parts = (self.image, self.thin, self.contrast, *self.weights)
        return sum(part.nbytes for part in parts)

    @classmethod
    def of(cls, image: Image, foreground: Region, *, coarsest: int, margin: float) -> Subject:
        """Prepare a case.

        Args:
            image: In [0, 1].
            foreground: Union of all classes.
            coarsest: Longer side of the coarsest scale of the blend, in pixels.
            margin: How far round the foreground its ground is unknown; see `clearing`.
        """
        longer = max(foreground.shape)
        unit = longer / 128
        _, hidden = field_of_view(image, foreground)
        filled = push_pull(image, hidden)
        weights = soften(foreground, levels_for(longer, coarsest=coarsest))
        # At the finest scale all of the case's own pixels count, however thin it is.
        weights[0] = np.maximum(weights[0], foreground, dtype=np.float32)
        thin = weights[0][0] * (1 - _thickness(weights, 2.5 * unit))
        contrast = filled - push_pull(filled, clearing(foreground, margin))
        ring = dilate(foreground, 6 * unit) & ~dilate(foreground, unit)
        lit = filled[:, ring & ~hidden]
        points, zone = _points(foreground, dilate(foreground, 12 * unit))
        mean = lit.mean(axis=1) if lit.size else None
        return cls(filled, tuple(weights), thin, contrast, np.flatnonzero(ring), mean, points, zone)


def _thickness(weights: list[Image], pixels: float) -> Image:
    """Return 1 where the mask is thicker than some pixels, 0 where it is a thread."""
    depth = min(len(weights) - 1, max(0, math.ceil(math.log2(pixels))))
    share = collapse([*(np.zeros_like(fine) for fine in weights[:depth]), weights[depth]])[0]
    thick: Image = np.clip(np.float32(2.5) * share - np.float32(0.5), 0, 1)
    return thick


def _points(foreground: Region, wide: Region) -> tuple[Points, Indices]:
    """Return points in the foreground, close round it and elsewhere, and which is which."""
    pixels = np.argwhere(foreground)
    inside = pixels[:: max(1, len(pixels) // MOST_POINTS)]
    rows, columns = lattice(foreground.shape, GRID)
    grid = np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=-1).reshape(-1, 2)
    grid = grid[~foreground[grid[:, 0], grid[:, 1]]]
    zone = np.where(wide[grid[:, 0], grid[:, 1]], 1, 2)
    return np.concatenate([inside, grid]).astype(float), np.concatenate(
        [np.zeros(len(inside), np.intp), zone]
    )


@dataclass(frozen=True, slots=True)
class Plate:
    """A donor without its foreground.

    Args:
        image: The donor, its foreground filled from round it.
        outside: Colour of its dark surround, or None where there is none.
    """

    image: Image
    outside: Image | None

    @property
    def nbytes(self) -> int:
        """Memory that this takes, in bytes."""
        return self.image.nbytes

    @classmethod
    def of(cls, image: Image, foreground: Region, margin: float) -> Plate:
        """Take the foreground and a margin round it out of an image."""
        hidden, grown = field_of_view(image, foreground)
        hole = clearing(foreground, margin)
        # Tissue is filled from tissue; the dark surround is put back afterwards.
        unknown = hole | grown
        filled = push_pull(image, unknown)
        filled = np.where(hole & ~hidden, filled + _texture(filled, hole, unknown), image)
        outside = image[:, hidden].mean(axis=1) if hidden.any() else None
        return cls(filled, outside)


def _texture(filled: Image, hole: Region, unknown: Region) -> Image:
    """Return fine detail for a hole: that of the ground beside it.

    The detail is taken from one height or width of the hole away, in the direction
    where most of it is known; what is unknown there too stays smooth.
    """
    if not hole.any() or hole.all():
        return np.zeros_like(filled)
    levels = max(1, levels_for(max(hole.shape), coarsest=32))
    coarse = gaussian(filled, levels)
    smooth = collapse([*(np.zeros_like(scale) for scale in coarse[:-1]), coarse[-1]])
    # One known plane beside the channels: both are shifted alike.
    planes = np.concatenate([filled - smooth, (~unknown).astype(np.float32)[None]])
    tall, wide = (int(np.ptp(np.flatnonzero(hole.any(axis=axis)))) + 1 for axis in (1, 0))
    shifted = [_shift(planes, *step) for step in ((tall, 0), (-tall, 0), (0, wide), (0, -wide))]
    best = max(shifted, key=lambda moved: float(moved[-1][hole].sum()))
    detail: Image = best[:-1] * best[-1]
    return detail


def _shift(planes: Image, rows: int, columns: int) -> Image:
    """Return the planes moved down and right, zero where nothing was moved to."""
    moved = np.zeros_like(planes)
    height, width = side(planes)
    if abs(rows) < height and abs(columns) < width:
        target = tuple(slice(max(0, step), step or None if step < 0 else None) for step in (rows, columns))
        source = tuple(slice(max(0, -step), -step or None if step > 0 else None) for step in (rows, columns))
        moved[:, *target] = planes[:, *source]
    return moved


def clearing(foreground: Region, margin: float) -> Region:
    """Return what is taken out of a donor: its foreground and a margin round it.

    The margin is at most half the foreground's mean thickness plus a pixel, so that
    a tree of thin vessels does not take all that lies between them along.

    Args:
        foreground: Union of all classes.
        margin: Greatest margin in pixels of an image whose longer side is 128 px.
    """
    edge = foreground[1:] != foreground[:-1], foreground[:, 1:] != foreground[:, :-1]
    length = sum(int(side.sum()) for side in edge)
    if length == 0:
        return foreground
    # A band of thickness t and length n has an area of t n and edges of about 2.5 n on a grid.
    thickness = 2.5 * float(foreground.sum()) / length
    return dilate(foreground, min(margin * max(foreground.shape) / 128, 1 + thickness / 2))


def outline(image: Image, foreground: Region, margin: float) -> Outline:
    """Measure where the foreground of an image lies and what lies round it."""
    hidden, _ = field_of_view(image, foreground)
    return Outline.of(foreground, clearing(foreground, margin), hidden)
