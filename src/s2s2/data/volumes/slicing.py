"""Slicing of volumes: which axis is cut, and how a slice is turned to be looked at.

An axial slice shows the patient from below with the front at the top and the right side at the left,
as radiologists are used to; coronal and sagittal slices show the head at the top.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from s2s2.core.types import Floats, RawPixels
from s2s2.data.volumes.config import Axis

_CLEARLY = 1.5
"""How many times the next spacing an axis must have to be cut across as the thickest."""

# For each plane its three axes among right, front, head (0, 1, 2): across slices, down rows, along
# columns; and whether the numbers grow against the patient's axis.
_PLANES = {
    "axial": ((2, 1, 0), (False, True, True)),
    "coronal": ((1, 2, 0), (False, True, True)),
    "sagittal": ((0, 2, 1), (False, True, True)),
}
_LETTERS = ("RL", "AP", "SI")
_SHEAR = 1e-3
_ACROSS = {0: "sagittal", 1: "coronal", 2: "axial"}


@dataclass(frozen=True)
class Slicing:
    """How the stored axes of a volume become slices, rows and columns, and back.

    Args:
        axes: The stored axis (0, 1, 2) of slices, of rows and of columns.
        flipped: Whether each of them is read backwards.
        spacing_mm: Distance between slices, rows and columns.
        plane: axial, coronal or sagittal, whichever the slices are closest to.

    Example:
        >>> slicing = Slicing.of(np.diag([1.0, 1.0, 5.0, 1.0]), "thickest")
        >>> slicing.plane, slicing.spacing_mm
        ('axial', (5.0, 1.0, 1.0))
        >>> volume = np.arange(24).reshape(2, 3, 4)
        >>> slicing.cut(volume).shape, bool((slicing.join(slicing.cut(volume)) == volume).all())
        ((4, 3, 2), True)
    """

    axes: tuple[int, int, int]
    flipped: tuple[bool, bool, bool]
    spacing_mm: tuple[float, float, float]
    plane: str

    @classmethod
    def of(cls, affine: Floats, axis: Axis) -> Slicing:
        """Return how a volume is cut.

        Args:
            affine: Of shape (4, 4), from voxel indices to millimetres (RAS), see `RawVolume`.
            axis: As `VolumeConfig.axis`.
        """
        stored, signs = _closest(affine)
        sizes = np.linalg.norm(affine[:3, :3], axis=0)
        if axis == "thickest":
            order = np.argsort(sizes[list(stored)])
            thickest, next_one = sizes[stored[order[2]]], sizes[stored[order[1]]]
            axis = _ACROSS[int(order[2])] if thickest >= _CLEARLY * next_one else "axial"  # type: ignore[assignment]
        anatomical, backwards = _PLANES[axis]
        axes = tuple(int(stored[each]) for each in anatomical)
        flipped = tuple(
            bool(back != (signs[each] < 0)) for each, back in zip(anatomical, backwards, strict=True)
        )
        spacing = tuple(round(float(sizes[each]), 6) for each in axes)
        return cls(axes, flipped, spacing, axis)  # type: ignore[arg-type]

    def cut(self, voxels: RawPixels) -> RawPixels:
        """Return stored voxels (i, j, k) as a view of shape (slice, row, column)."""
        return voxels.transpose(self.axes)[self._order]

    def join(self, slices: RawPixels) -> RawPixels:
        """Return slices (slice, row, column) as a view of the stored shape (i, j, k)."""
        return slices[self._order].transpose(np.argsort(self.axes))

    def affine(self, stored: Floats, shape: tuple[int, ...]) -> Floats:
        """Return the affine of the slices: from slice, row and column to millimetres (RAS), shape (4, 4).

        Args:
            stored: Affine of the stored volume.
            shape: Its shape (i, j, k).
        """
        change = np.zeros((4, 4))
        change[3, 3] = 1.0
        for column, (axis, back) in enumerate(zip(self.axes, self.flipped, strict=True)):
            change[axis, column] = -1.0 if back else 1.0
            change[axis, 3] = shape[axis] - 1 if back else 0.0
        return np.asarray(stored @ change, np.float64)

    @property
    def _order(self) -> tuple[slice, slice, slice]:
        first, second, third = (slice(None, None, -1) if each else slice(None) for each in self.flipped)
        return first, second, third


def orientation(affine: Floats) -> str:
    """Return where the stored axes point.

    Example:
        >>> orientation(np.diag([-1.0, -1.0, 3.0, 1.0]))
        'LPS'
    """
    stored, signs = _closest(affine)
    letters = {axis: _LETTERS[world][int(signs[world] < 0)] for world, axis in enumerate(stored)}
    return letters[0] + letters[1] + letters[2]


def is_orthonormal(affine: Floats) -> bool:
    """Whether the stored axes are at right angles."""
    directions = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    return bool(np.abs(directions.T @ directions - np.eye(3)).max() <= _SHEAR)


def _closest(affine: Floats) -> tuple[tuple[int, int, int], tuple[float, float, float]]:
    """Return the stored axis closest to right, to front and to head, and whether it points that way (+1, -1).

    Every stored axis is used once; the choice with the largest sum of cosines is taken.
    """
    from itertools import permutations

    directions = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    best = max(
        permutations(range(3)),
        key=lambda stored: sum(abs(directions[world, axis]) for world, axis in enumerate(stored)),
    )
    right, front, head = (1.0 if directions[world, axis] >= 0 else -1.0 for world, axis in enumerate(best))
    return (best[0], best[1], best[2]), (right, front, head)
