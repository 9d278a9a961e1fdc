"""Masks of cases: the class ids of a mask file, which must fit its image."""

from __future__ import annotations

from pathlib import Path

from s2s2.core.types import LabelMap
from s2s2.data.case import Case
from s2s2.data.classes import ClassMap
from s2s2.data.files import read_mask_raw
from s2s2.errors import DataError


def encoded_mask(case: Case, path: Path, class_map: ClassMap, expected: tuple[int, int]) -> LabelMap:
    """Read the mask of a case on the grid of its file.

    Args:
        case: The case, for errors.
        path: Its mask.
        class_map: The meaning of the values.
        expected: Height and width of its image in pixels.

    Returns:
        Class ids of shape (height, width).

    Raises:
        DataError: If it cannot be read, its size is not the image's, or it holds values that the class map
            does not know.
    """
    ids = class_map.encode(read_mask_raw(path, class_map.palettes), source=path)
    if ids.shape != expected:
        raise DataError(
            f"Case {case.id}: the mask {path} is {ids.shape[0]} x {ids.shape[1]} pixels "
            f"(height x width), its image {case.image_path.name} {expected[0]} x {expected[1]}. "
            "Both must have one size: export the mask again."
        )
    return ids
