from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest

from s2s2.core.types import Floats
from s2s2.data.volumes.config import Axis
from s2s2.data.volumes.slicing import Slicing, is_orthonormal, orientation

ALL = [(order, signs) for order in permutations(range(3)) for signs in product((1, -1), repeat=3)]
SIZE = (5, 6, 7)  # voxels to the right, to the front, to the head


def stored(order: tuple[int, ...], signs: tuple[int, ...]) -> tuple[np.ndarray, Floats]:
    """Return one volume, stored with its axes in this order and direction, and its affine.

    The value of a voxel is 100 right + 10 front + head, in steps from the patient's left, back and feet.
    """
    right, front, head = np.mgrid[: SIZE[0], : SIZE[1], : SIZE[2]]
    world = 100 * right + 10 * front + head
    flipped = world[tuple(slice(None, None, sign) for sign in signs)]
    affine = np.eye(4)
    for axis, each in enumerate(order):
        affine[:, axis] = 0
        affine[each, axis] = signs[each]
        affine[each, 3] = 0 if signs[each] > 0 else SIZE[each] - 1
    return flipped.transpose(order), affine


@pytest.mark.parametrize(("order", "signs"), ALL)
@pytest.mark.parametrize("axis", ["axial", "coronal", "sagittal"])
def test_slices_look_the_same_however_the_volume_is_stored(
    order: tuple[int, ...], signs: tuple[int, ...], axis: Axis
) -> None:
    voxels, affine = stored(order, signs)
    slicing = Slicing.of(affine, axis)
    cut = slicing.cut(voxels)
    right, front, head = SIZE
    for number, row, column in product(*map(range, cut.shape)):
        # Radiologists see the patient's right at the left, the front or the head at the top.
        r, f, h = {
            "axial": (right - 1 - column, front - 1 - row, number),
            "coronal": (right - 1 - column, number, head - 1 - row),
            "sagittal": (number, front - 1 - column, head - 1 - row),
        }[axis]
        assert cut[number, row, column] == 100 * r + 10 * f + h
    np.testing.assert_array_equal(slicing.join(cut), voxels)
    place = slicing.affine(affine, voxels.shape) @ [1, 2, 3, 1]
    value = 100 * place[0] + 10 * place[1] + place[2]
    assert cut[1, 2, 3] == pytest.approx(value)


@pytest.mark.parametrize(("order", "signs"), ALL)
def test_the_orientation_is_named_as_nibabel_does(order: tuple[int, ...], signs: tuple[int, ...]) -> None:
    import nibabel as nib

    _, affine = stored(order, signs)
    assert orientation(affine) == "".join(nib.aff2axcodes(affine))


def test_the_thickest_axis_is_cut_where_one_is_clearly_thicker() -> None:
    def plane(*spacing: float) -> str:
        return Slicing.of(np.diag([*spacing, 1.0]), "thickest").plane

    assert [plane(1, 1, 1), plane(1, 1, 5), plane(5, 1, 1), plane(1, 5, 1)] == [
        "axial",
        "axial",
        "sagittal",
        "coronal",
    ]
    assert plane(1.2, 1, 1) == "axial"


def test_spacing_is_given_as_slices_rows_columns() -> None:
    assert Slicing.of(np.diag([0.5, 0.7, 3.0, 1.0]), "axial").spacing_mm == (3.0, 0.7, 0.5)


def test_axes_at_other_than_right_angles_are_found() -> None:
    sheared = np.eye(4)
    sheared[0, 2] = 0.2
    assert is_orthonormal(np.diag([1.0, 2.0, 3.0, 1.0]))
    assert not is_orthonormal(sheared)
