"""Reader and writer of NIfTI volumes (.nii, .nii.gz)."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from s2s2.core.storage import atomic
from s2s2.core.types import Floats, RawPixels
from s2s2.data.volumes.raw import RawVolume, VolumeReader, files_named, require_held
from s2s2.errors import DataError

_SUFFIXES = (".nii.gz", ".nii")
_PART = 2**20


def read(path: Path) -> RawVolume:
    """Read a NIfTI file; stored numbers stay as they are, so that a large CT needs two bytes a voxel.

    Raises:
        Exception: As nibabel raises it for a corrupt file.
    """
    nib = _nibabel()
    kind = nib.Nifti1Image if _is_first(path) else nib.Nifti2Image
    if not _is_compressed(path):
        return _raw(kind.load(path), path)
    with gzip.open(path) as file:
        volume = _raw(kind.from_stream(file), path)
        while file.read(_PART):  # the checksum stands at the end
            pass
    return volume


def _raw(image: Any, path: Path) -> RawVolume:
    if image.get_data_dtype().fields is not None:
        raise DataError(f"{path} holds colours, expected one intensity a voxel. Save one channel.")
    require_held(path, image.shape, path.stat().st_size)
    proxy = image.dataobj  # the image's header forgets the scaling, its array keeps it
    voxels, slope, intercept = np.asanyarray(proxy.get_unscaled()), float(proxy.slope), float(proxy.inter)
    oriented = any(int(image.header[name]) > 0 for name in ("sform_code", "qform_code"))
    return RawVolume(voxels, np.asarray(image.affine, np.float64), slope, intercept, oriented=oriented)


def _nibabel() -> Any:
    import nibabel

    return nibabel


def _is_compressed(path: Path) -> bool:
    return path.name.lower().endswith(".gz")


def _is_first(path: Path) -> bool:
    """Whether a file is NIfTI-1, by the length of its header; the suffix is that of NIfTI-2 too."""
    opener = gzip.open if _is_compressed(path) else open
    with opener(path, "rb") as file:
        size = file.read(4)
    if size in (b"\x1c\x02\x00\x00", b"\x00\x00\x02\x1c"):
        return False
    if size not in (b"\x5c\x01\x00\x00", b"\x00\x00\x01\x5c"):
        raise DataError(
            f"{path} begins with no NIfTI header ({path.stat().st_size} bytes). Expected a whole .nii or "
            ".nii.gz file: copy it again from its source, or take it out."
        )
    return True


def write(path: Path, labels: RawPixels, affine: Floats, source: Path, _names: Sequence[str]) -> None:
    """Write a label map as uint8 with the affine and the header of the image that it belongs to.

    Args:
        path: Where to.
        labels: Class ids of shape (i, j, k).
        affine: As `RawVolume.affine`.
        source: The image; of another format, the header is a new one.
    """
    write_voxels(path, labels.astype(np.uint8, copy=False), affine, source)


def write_voxels(path: Path, voxels: RawPixels, affine: Floats, source: Path) -> None:
    """Write voxels of shape (i, j, k) in their own type of numbers; the rest as `write`."""
    nib, header = _nibabel(), None
    if source.is_file() and source.name.lower().endswith(_SUFFIXES):
        header = nib.load(source).header.copy()
        header.set_data_dtype(voxels.dtype)
        header.set_slope_inter(1, 0)
        header["cal_min"], header["cal_max"] = 0, 0
    image = nib.Nifti1Image(np.ascontiguousarray(voxels), affine, header)
    if header is None:
        image.header.set_xyzt_units("mm")
        image.set_qform(affine, code=1)
        image.set_sform(affine, code=1)
    with atomic(path) as temporary, open(temporary, "wb") as file:
        _compress(image, file)


def _compress(image: Any, file: BinaryIO) -> None:
    """Write piece by piece: a whole volume in bytes beside its voxels would double the memory."""
    # Name and time in a gzip header would make equal label maps differ.
    with gzip.GzipFile("", "wb", compresslevel=4, fileobj=file, mtime=0) as compressed:
        image.to_stream(compressed)


NIFTI = VolumeReader(
    "nifti",
    _SUFFIXES,
    files_named(_SUFFIXES),
    read,
    write,
    ".nii.gz",
)
