"""Reader of masks that are a folder of image files, one for each slice of a DICOM series, as CHAOS has them.

Such a file does not say where it lies. The first one belongs to the first file of the series, and so on,
both in the order of their names; where that slice lies its header says. Series whose names run from head
to feet are therefore read as rightly as those from feet to head.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from s2s2.core.names import counted
from s2s2.core.types import Floats
from s2s2.data.files import SUFFIXES, read_mask_raw
from s2s2.data.volumes.dicom_planes import read_series
from s2s2.data.volumes.raw import RawVolume
from s2s2.errors import DataError, listed


def are_slices(path: Path) -> bool:
    """Whether a path is a folder of image files."""
    return path.is_dir() and bool(_files(path))


def read_labels(path: Path, affine: Floats, image: Path) -> RawVolume:
    """Read the mask of a DICOM series.

    Args:
        path: The folder of the mask.
        affine: Of the image, as `RawVolume.affine`.
        image: The folder of the series.

    Raises:
        DataError: If the image is no folder of slices, or files and slices differ in number, names or size.
    """
    files = _files(path)
    if not image.is_dir():
        raise DataError(
            f"The mask {path} is a folder of {len(files)} images, and its image {image} is one file, so it "
            "is unknown which slice each belongs to. Save the mask as one volume, such as NIfTI."
        )
    planes = read_series(image).planes
    slices = {plane.source: number for number, plane in enumerate(planes)}
    series = sorted(slices, key=_by_name)
    _require_pairs(path, files, image, series)
    shape = planes[0].shape
    voxels = np.empty((len(planes), *shape), np.uint16)
    for file, source in zip(files, series, strict=True):
        labels = read_mask_raw(file)
        if labels.shape != shape:
            raise DataError(
                f"The mask {file} is {_by(labels.shape)} pixels, its slice {source} {_by(shape)} (height x "
                "width). Expected one size: export the mask again."
            )
        voxels[slices[source]] = labels
    return RawVolume(voxels.transpose(2, 1, 0), affine, format="dicom")


def _files(folder: Path) -> list[Path]:
    found = (each for each in folder.iterdir() if not each.name.startswith("."))
    return sorted((each for each in found if each.suffix.lower() in SUFFIXES), key=_by_name)


def _by_name(path: Path) -> tuple[str | int, ...]:
    return counted(path.stem)


def _require_pairs(path: Path, files: Sequence[Path], image: Path, series: Sequence[Path]) -> None:
    """Refuse files that may not belong to the slices."""
    if len(files) != len(series):
        raise DataError(
            f"The mask {path} has {len(files)} images, its series {image} {len(series)} files. Expected an "
            "image for each slice, those without any class too: get both again."
        )
    ours, theirs = ({each.stem for each in some} for some in (files, series))
    if ours & theirs and ours != theirs:
        raise DataError(
            f"The mask {path} and its series {image} share some names alone: {listed(sorted(ours - theirs))} "
            f"belong to no slice, {listed(sorted(theirs - ours))} have no mask. Expected the same names, or "
            "names of another kind in the same order: rename the images."
        )


def _by(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape))
