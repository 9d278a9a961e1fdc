"""Reader and writer of NRRD and MetaImage volumes (.nrrd, .nhdr, .mha, .mhd), by SimpleITK.

One library reads both, with one convention: millimetres to the left, back and head (LPS).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from s2s2.core.storage import atomic
from s2s2.core.types import Floats, RawPixels
from s2s2.data.volumes.raw import LPS_TO_RAS, RawVolume, VolumeReader, files_named, require_held
from s2s2.errors import DataError

_NRRD, _META = (".nrrd", ".nhdr"), (".mha", ".mhd")
_HEADER = 2**16
"""Bytes in which a header names the file of its voxels."""
_DATA_FILE = re.compile(rb"^(?:data ?file:|ElementDataFile\s*=)[ \t]*([^\r\n]+?)[ \t]*\r?$", re.M | re.I)
_COMPRESSED = re.compile(rb"^(?:encoding:[ \t]*gz(?:ip)?|CompressedData\s*=\s*True)\s*$", re.M | re.I)
_END = re.compile(rb"^NRRD.*?\r?\n\r?\n|^.*?ElementDataFile\s*=[^\n]*\n", re.S)
_ZLIB_OR_GZIP = 47
"""Window of `zlib`: 32 and 15, the header says which of both it is."""
_PART = 2**20


def read(path: Path) -> RawVolume:
    """Read a volume.

    Raises:
        DataError: If the voxels are not there, not whole, or not one number each.
    """
    itk, header = _itk(), _header(path)
    if header.GetNumberOfComponents() != 1:
        raise DataError(
            f"{path} holds {header.GetNumberOfComponents()} numbers a voxel, expected one. Save each channel "
            "as a file of its own; channels end in _0000, _0001 and so on."
        )
    stored = sum(each.stat().st_size for each in (path, *beside(path)))
    require_held(path, header.GetSize(), stored)
    _require_whole(path)
    image = _tried(path, lambda: itk.ReadImage(str(path)))
    keys = image.GetMetaDataKeys()
    return RawVolume(
        itk.GetArrayFromImage(image).T,
        _affine(image),
        oriented=path.suffix.lower() not in _NRRD or "NRRD_space" in keys,
        format=_format(path),
    )


def beside(path: Path) -> list[Path]:
    """Return the file that holds the voxels of a header, where it is not the header's own.

    Files in other folders are not returned, and `read` refuses them.
    """
    name = _data_file(path)
    if name is None or "/" in name or "\\" in name:
        return []
    return [path.parent / name] if (path.parent / name).is_file() else []


def _data_file(path: Path) -> str | None:
    """Return the name of the file of the voxels, as a header gives it; None where it is the same file."""
    with open(path, "rb") as file:
        start = file.read(_HEADER)
    found = _DATA_FILE.search(start.split(b"\n\n")[0] if start.startswith(b"NRRD") else start)
    name = found[1].decode("utf-8", "replace") if found else "LOCAL"
    return None if name.upper() == "LOCAL" else name


def _require_whole(path: Path) -> None:
    """Refuse compressed voxels whose checksum is wrong: SimpleITK gives other numbers without a word."""
    with open(path, "rb") as file:
        start = file.read(_HEADER)
    if not _COMPRESSED.search(start):
        return
    voxels, inflating = (beside(path) or [path])[0], zlib.decompressobj(_ZLIB_OR_GZIP)
    with open(voxels, "rb") as file:
        if voxels == path:
            end = _END.search(start)
            file.seek(end.end() if end else 0)
        try:
            while not inflating.eof and (part := inflating.unconsumed_tail or file.read(_PART)):
                inflating.decompress(part, _PART)
        except zlib.error as error:
            raise DataError(_broken(path, f"its compressed voxels are corrupt: {error}")) from error
    if not inflating.eof:
        raise DataError(_broken(path, "its compressed voxels are cut off"))


def _broken(path: Path, cause: str) -> str:
    return (
        f"{path} cannot be read as a volume ({cause}). Expected a whole {_format(path)} file: copy it again "
        "from its source, or take it out."
    )


def _header(path: Path) -> Any:
    """Read size and place alone; refuse voxels in files elsewhere, or in several."""
    name = _data_file(path)
    if name is not None and not beside(path):
        raise DataError(
            f"{path} says that its voxels are in {name!r}, expected one file beside it. Put it there, or "
            "save header and voxels in one file (.nrrd, .mha)."
        )
    reader = _itk().ImageFileReader()
    reader.SetFileName(str(path))
    _tried(path, reader.ReadImageInformation)
    return reader


def _tried(path: Path, step: Any) -> Any:
    """Do a step of SimpleITK, whose errors are long and name no fault of MetaImage files."""
    try:
        return step()
    except RuntimeError as error:
        cause = " ".join(str(error).split()).replace(str(path), "the file").rpartition("): ")[2][:160]
        if "MetaImageIO" in str(error):
            cause = "its voxels are not there, or not all"
        elif "Unable to determine" in str(error):
            cause = f"it has {path.stat().st_size} bytes and no header"
        raise DataError(_broken(path, cause)) from error


def _affine(image: Any) -> Floats:
    """Return the affine of an image of two axes or more (RAS)."""
    axes = min(image.GetDimension(), 3)
    direction = np.array(image.GetDirection()).reshape(image.GetDimension(), -1)[:axes, :axes]
    lps = np.eye(4)
    lps[:axes, :axes] = direction * np.array(image.GetSpacing()[:axes])
    lps[:axes, 3] = image.GetOrigin()[:axes]
    return np.asarray(LPS_TO_RAS @ lps, np.float64)


def _itk() -> Any:
    import SimpleITK

    objects: Any = SimpleITK.ProcessObject
    objects.SetGlobalWarningDisplay(False)
    return SimpleITK


def _format(path: Path) -> str:
    return "nrrd" if path.suffix.lower() in _NRRD else "metaimage"


def write(path: Path, labels: RawPixels, affine: Floats, source: Path, _names: Sequence[str]) -> None:
    """Write a label map as uint8, compressed, with the place of the image that it belongs to.

    Args:
        path: Where to, .nrrd or .mha.
        labels: Class ids of shape (i, j, k).
        affine: As `RawVolume.affine`.
        source: The image, whose header gives the place as it is written there.
    """
    itk = _itk()
    image = itk.GetImageFromArray(np.ascontiguousarray(np.asarray(labels, np.uint8).T))
    header = _header(source)
    if header.GetDimension() == 3:
        image.SetSpacing(header.GetSpacing())
        image.SetOrigin(header.GetOrigin())
        image.SetDirection(header.GetDirection())
    else:
        lps = LPS_TO_RAS @ affine
        spacing = np.linalg.norm(lps[:3, :3], axis=0)
        image.SetSpacing(spacing.tolist())
        image.SetOrigin(lps[:3, 3].tolist())
        image.SetDirection((lps[:3, :3] / spacing).ravel().tolist())
    with atomic(path) as temporary:
        itk.WriteImage(image, str(temporary), True)


NRRD = VolumeReader(
    "nrrd",
    _NRRD,
    files_named(_NRRD),
    read,
    write,
    ".nrrd",
    beside=beside,
)
METAIMAGE = VolumeReader(
    "metaimage",
    _META,
    files_named(_META),
    read,
    write,
    ".mha",
    beside=beside,
)
