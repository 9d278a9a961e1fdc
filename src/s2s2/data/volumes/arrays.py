"""Reader and writer of bare arrays, as TransUNet and others distribute data sets (.npz, .h5).

A file holds the arrays `image` and `label`, of one slice (row, column) or of a volume
(slice, row, column), with values prepared in 0..1. Nothing says how large a voxel is, nor where
it lies.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from s2s2.core.storage import atomic
from s2s2.core.types import Floats, RawPixels
from s2s2.data.case import Case
from s2s2.data.volumes.raw import LPS_TO_RAS, RawVolume, VolumeReader, files_named, require_held
from s2s2.errors import DataError, listed

_HDF5, _ZIPPED = (".npy.h5", ".h5", ".hdf5"), (".npz",)
_SUFFIXES = (*_HDF5, *_ZIPPED)
IMAGE, LABEL = "image", "label"
_SLICE = re.compile(r"(.+)_slice_?(\d+)", re.I)
_PATIENT = re.compile(r"(?:case|patient)_?\d+", re.I)


def read(path: Path) -> RawVolume:
    """Read the image of a file.

    Raises:
        DataError: If there is no array of this name, or the file is not whole.
        Exception: As numpy or h5py raise it for a corrupt file.
    """
    return _volume(_array(path, IMAGE), path)


def read_labels(path: Path, shape: tuple[int, ...], _affine: Floats) -> RawVolume:
    """Read the label map of a file.

    Args:
        path: The file.
        shape: Of the image (i, j, k).

    Raises:
        DataError: As `read`, or if it has another shape than the image.
    """
    labels = _volume(_array(path, LABEL), path)
    if labels.voxels.shape != tuple(shape):
        ours, theirs = (" x ".join(map(str, each[::-1])) for each in (labels.voxels.shape, shape))
        raise DataError(
            f"The array {LABEL!r} of {path} has the shape {ours}, its image {theirs}. Expected one shape: "
            "export both again."
        )
    return labels


def _volume(array: RawPixels, path: Path) -> RawVolume:
    """Return an array (row, column) or (slice, row, column) as a volume, shown as it is stored."""
    if array.ndim not in (2, 3):
        raise DataError(
            f"{path} holds an array of shape {' x '.join(map(str, array.shape))}, expected a slice (row, "
            "column) or a volume (slice, row, column). Save each as a file of its own."
        )
    slices = array[None] if array.ndim == 2 else array
    return RawVolume(slices.transpose(2, 1, 0), LPS_TO_RAS, oriented=False, bare=True, format="arrays")


def _array(path: Path, name: str) -> RawPixels:
    if path.suffix.lower() == ".npz":
        return _from_zip(path, name)
    return _from_hdf5(path, name)


def _from_zip(path: Path, name: str) -> RawPixels:
    with zipfile.ZipFile(path) as archive:
        members = [each.removesuffix(".npy") for each in archive.namelist()]
        _require(name, members, path)
        with archive.open(f"{name}.npy") as file:
            version = np.lib.format.read_magic(file)
            first = version == (1, 0)
            header = np.lib.format.read_array_header_1_0 if first else np.lib.format.read_array_header_2_0
            shape, _, kind = header(file)
        there = archive.getinfo(f"{name}.npy").file_size // max(1, kind.itemsize)
        require_held(path, shape, there, ratio=1)
        require_held(path, shape, path.stat().st_size)
    with np.load(path, allow_pickle=False) as content:
        return np.asarray(content[name])


def _from_hdf5(path: Path, name: str) -> RawPixels:
    import h5py

    with h5py.File(path, "r") as file:
        arrays = [each for each in file if _is_own(file, each, h5py)]
        _require(name, arrays, path)
        array = file[name]
        require_held(path, array.shape, path.stat().st_size)
        return np.asarray(array[()])


def _is_own(file: Any, name: str, h5py: Any) -> bool:
    """Whether a name is an array whose numbers are in the file: HDF5 can lead to others."""
    if not isinstance(file.get(name, getlink=True), h5py.HardLink):
        return False
    found = file[name]
    return isinstance(found, h5py.Dataset) and not found.is_virtual and found.external is None


def _require(name: str, names: Sequence[str], path: Path) -> None:
    if name not in names:
        got = f"the arrays {listed(names)}" if names else "no arrays"
        raise DataError(
            f"{path} holds {got}, expected {IMAGE!r} and {LABEL!r} as TransUNet names them. Save it with "
            "these names, or as NIfTI."
        )


def write(path: Path, labels: RawPixels, _affine: Floats, _source: Path, _names: Sequence[str]) -> None:
    """Write a label map as the array `label` (`LABEL`) of shape (slice, row, column), uint8.

    Args:
        path: Where to, .npz.
        labels: Class ids of shape (i, j, k).
    """
    array = np.ascontiguousarray(np.asarray(labels, np.uint8).transpose(2, 1, 0))
    with atomic(path) as temporary, open(temporary, "wb") as file:
        np.savez_compressed(file, label=array)


def is_slice(path: Path) -> bool:
    """Whether a file of arrays is one slice of several, by its name."""
    return _SLICE.fullmatch(path.name.partition(".")[0]) is not None


def named_by_file(case: Case) -> Case:
    """Return a case of a file of arrays with its volume, slice and patient, as far as its name says them.

    Example:
        >>> path = Path("case0005_slice012.npz")
        >>> case = named_by_file(Case("case0005_slice012", path, path, "case0005_slice012", "synapse"))
        >>> case.volume, case.slice, case.group
        ('case0005', 12, 'case0005')
    """
    if not case.image_path.name.lower().endswith(_SUFFIXES):
        return case
    found = _SLICE.fullmatch(case.id)
    volume, number = (found[1], int(found[2])) if found else (None, 0)
    group = case.group
    if group == case.id:
        patient = _PATIENT.search(case.id.rpartition("/")[2])
        group = patient[0] if patient else volume or case.id
    return replace(case, volume=volume, slice=number, group=group)


ARRAYS = VolumeReader(
    "arrays",
    _SUFFIXES,
    files_named(_SUFFIXES),
    read,
    write,
    ".npz",
    read_labels,
    has_mask=True,
)
