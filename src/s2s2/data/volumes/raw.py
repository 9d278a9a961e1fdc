"""Volumes as files hold them, and what a reader of a volume format must give."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from s2s2.core.types import Floats, RawPixels, Vectors
from s2s2.errors import DataError

LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
"""From millimetres to the patient's left, back and head (DICOM, ITK) to right, front and head (NIfTI)."""

_MOST_LABELS = 65535
_ROUNDED = 1e-3
_DEFLATED = 1100
"""How many times larger than compressed zeros their content is, at most: 1032 by DEFLATE (RFC 1951)."""


@dataclass(frozen=True)
class RawVolume:
    """One channel of a volume, as it is stored.

    Args:
        voxels: Stored numbers of shape (i, j, k), in the order of the file.
        affine: Of shape (4, 4): from voxel indices to millimetres, the axes of which point to the
            patient's right, front and head (RAS).
        slope: Factor from stored numbers to values.
        intercept: Added after the factor; HU for CT.
        modality: As DICOM names it ("CT", "MR"); "" where the file does not say.
        patient: Name of the patient in the file; "" where it does not say.
        oriented: Whether the file says how its axes lie in the patient.
        bare: Whether it holds an array alone, without the size of voxels: its values may be prepared.
        format: Name of the format, by which `VOLUME_READERS` knows its reader.
    """

    voxels: RawPixels
    affine: Floats
    slope: float = 1.0
    intercept: float = 0.0
    modality: str = ""
    patient: str = ""
    oriented: bool = True
    bare: bool = False
    format: str = "nifti"

    def values(self, part: RawPixels) -> Vectors:
        """Return the values of stored numbers, float32."""
        scaled = part.astype(np.float32)
        if self.slope != 1.0:
            scaled *= np.float32(self.slope)
        if self.intercept != 0.0:
            scaled += np.float32(self.intercept)
        return scaled


@dataclass(frozen=True)
class VolumeReader:
    """How volumes of one format are found, read and written.

    Args:
        name: Of the format.
        suffixes: Of its files, in lower case; empty where a folder of files is one volume.
        recognises: Whether a path is of this format: a file by its name, a folder by its files.
        read: Reads a volume.
        write: Writes a label map (i, j, k) of class ids beside the volume it belongs to: the path, the
            label map, the affine, the file that was predicted, the name of each class id.
        suffix: Of the label maps that `write` writes.
        read_labels: Reads a label map for an image of a shape (i, j, k) and an affine, where `read` does
            not: of formats that leave out slices without anything, or hold image and mask in one file.
        has_mask: Whether a file may hold an image and its mask.
        beside: The files that hold the voxels of a file, where those are not its own.
        extra: What to install to read the format.
    """

    name: str
    suffixes: tuple[str, ...]
    recognises: Callable[[Path], bool]
    read: Callable[[Path], RawVolume]
    write: Callable[[Path, RawPixels, Floats, Path, Sequence[str]], None]
    suffix: str
    read_labels: Callable[[Path, tuple[int, ...], Floats], RawVolume] | None = None
    has_mask: bool = False
    beside: Callable[[Path], list[Path]] | None = None
    extra: str = "volumes"


def files_named(suffixes: tuple[str, ...]) -> Callable[[Path], bool]:
    """Return what says whether a path is a file with one of these suffixes, which a folder may have too."""
    return lambda path: path.name.lower().endswith(suffixes) and not path.is_dir()


def require_held(path: Path, shape: Sequence[int], stored: int, ratio: int = _DEFLATED) -> None:
    """Refuse a header that promises more voxels than the file can hold, before memory is taken for them.

    Args:
        path: The file, for the error.
        shape: What its header promises.
        stored: Bytes of the file, or voxels that are there.
        ratio: How many times more voxels there may be, compressed.

    Raises:
        DataError: If there are more.
    """
    if math.prod(shape) > ratio * stored:
        raise DataError(
            f"The header of {path} promises {_by(tuple(shape))} voxels, more than the file can hold. "
            "Expected a whole file: copy it again from its source."
        )


def checked(volume: RawVolume, path: Path) -> RawVolume:
    """Return a volume that can be cut, with three axes.

    Raises:
        DataError: If it has other axes, numbers that are no intensities, or an affine that says nothing.
    """
    voxels = volume.voxels
    while voxels.ndim > 3 and voxels.shape[-1] == 1:
        voxels = voxels[..., 0]
    if voxels.ndim == 2:
        voxels = voxels[..., None]
    if voxels.ndim != 3 or 0 in voxels.shape:
        raise DataError(
            f"{path} has the shape {_by(volume.voxels.shape)}, expected three axes with voxels. "
            "Save each time point or channel as a file of its own; channels end in _0000, _0001 and so on."
        )
    if not (np.issubdtype(voxels.dtype, np.integer) or np.issubdtype(voxels.dtype, np.floating)):
        raise DataError(
            f"{path} holds voxels of type {voxels.dtype}, expected whole or floating point numbers. "
            "Save one channel of intensities."
        )
    affine = np.asarray(volume.affine, np.float64)
    if affine.shape != (4, 4) or not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) < 1e-9:
        raise DataError(
            f"{path} has an affine that gives its voxels no place in space: {described(affine)}. Expected "
            "three independent directions with the spacing in mm. Write the header again from the source."
        )
    return RawVolume(**{**vars(volume), "voxels": voxels, "affine": affine})


def label_values(volume: RawVolume, voxels: RawPixels, path: Path) -> RawPixels:
    """Return the class ids of a label map as uint8 or uint16.

    Args:
        volume: The label map.
        voxels: Its stored numbers, cut or not.
        path: Its file, for the error.

    Raises:
        DataError: If one is no whole number from 0 to 65535.
    """
    if (volume.slope, volume.intercept) != (1.0, 0.0):
        voxels = volume.values(voxels)
    if not np.issubdtype(voxels.dtype, np.integer):
        whole = np.rint(voxels)
        strange = voxels[~(np.abs(voxels - whole) <= _ROUNDED)]
        if strange.size:
            raise DataError(
                f"The mask {path} holds {strange.size} voxels that are no class ids, such as {strange[0]:g}. "
                "Expected whole numbers: resample masks by the nearest voxel, and export them again."
            )
        voxels = whole
    low, high = float(voxels.min()), float(voxels.max())
    if low < 0 or high > _MOST_LABELS:
        raise DataError(
            f"The mask {path} holds values from {low:g} to {high:g}, expected class ids from 0 to "
            f"{_MOST_LABELS}. Export the mask again."
        )
    return voxels.astype(np.uint8 if high <= 255 else np.uint16)


def described(affine: Floats) -> str:
    """Return an affine on one line, three rows of four numbers."""
    rows = np.asarray(affine)[:3]
    return "[" + "; ".join(" ".join(f"{value:.4g}" for value in row) for row in rows) + "]"


def _by(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
