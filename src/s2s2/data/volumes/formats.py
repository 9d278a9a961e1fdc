"""Formats of volumes: the readers by suffix, and which file or folder is a volume."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from s2s2.core.inputs import Inputs
from s2s2.core.names import counted
from s2s2.core.records import file_identity
from s2s2.core.types import Floats
from s2s2.data.files import SUFFIXES
from s2s2.data.volumes import slice_files
from s2s2.data.volumes.arrays import ARRAYS
from s2s2.data.volumes.dicom import DICOM
from s2s2.data.volumes.dicom_seg import DICOM_SEG
from s2s2.data.volumes.nifti import NIFTI
from s2s2.data.volumes.nrrd import METAIMAGE, NRRD
from s2s2.data.volumes.raw import RawVolume, VolumeReader, checked
from s2s2.errors import DataError, S2S2Error

VOLUME_READERS: tuple[VolumeReader, ...] = (NIFTI, DICOM, DICOM_SEG, NRRD, METAIMAGE, ARRAYS)
"""The readers of all formats; a new one is one file and one entry here."""

VOLUME_SUFFIXES = tuple(suffix for reader in VOLUME_READERS for suffix in reader.suffixes)
"""Suffixes that volumes are searched for by in folders, in lower case, the longer of two that fit first."""

LABEL_SUFFIXES = tuple(dict.fromkeys(reader.suffix for reader in VOLUME_READERS))
"""Suffixes of the label maps that are written of volumes."""


def reader_of(path: Path) -> VolumeReader | None:
    """Return the reader of a file or of a folder of files; None where it is no volume."""
    if path.suffix.lower() in SUFFIXES:
        return None  # flat images are many: no look at the disk for each
    return next((reader for reader in VOLUME_READERS if reader.recognises(path)), None)


def reader_named(name: str) -> VolumeReader:
    """Return the reader of a format.

    Raises:
        DataError: If there is none of this name.
    """
    found = next((reader for reader in VOLUME_READERS if reader.name == name), None)
    if found is None:
        known = ", ".join(reader.name for reader in VOLUME_READERS)
        raise DataError(f"There is no format of volumes {name!r}, known are {known}.")
    return found


def volume_suffix(name: str) -> str:
    """Return the suffix of a volume's file name, "" if it is of another format.

    Example:
        >>> volume_suffix("patient.1.NII.gz"), volume_suffix("photo.png")
        ('.NII.gz', '')
    """
    found = next((each for each in VOLUME_SUFFIXES if name.lower().endswith(each)), "")
    return name[len(name) - len(found) :] if found else ""


def read_volume(path: Path) -> RawVolume:
    """Read one channel of a volume.

    Raises:
        DataError: If it cannot be read, has other than three axes, or no place in space.
    """
    return _read(path, lambda reader: reader.read(path))


def read_labels(path: Path, shape: tuple[int, ...], affine: Floats, image: Path) -> RawVolume:
    """Read a label map.

    Args:
        path: Its file, a folder with one, or with an image file for each slice.
        shape: Of the image that it belongs to (i, j, k).
        affine: Of the image, as `RawVolume.affine`.
        image: The image itself.

    Raises:
        DataError: As `read_volume`.
    """
    if reader_of(path) is None and slice_files.are_slices(path):
        return slice_files.read_labels(path, affine, image)
    return _read(
        path,
        lambda reader: reader.read_labels(path, shape, affine) if reader.read_labels else reader.read(path),
    )


def _read(path: Path, read: Callable[[VolumeReader], RawVolume]) -> RawVolume:
    reader = reader_of(path)
    if not os.path.exists(path):
        raise DataError(f"There is no volume {path}. Check the path.")
    if reader is None:
        raise DataError(f"{path} is no volume. Expected {', '.join(VOLUME_SUFFIXES)}.")
    try:
        return checked(read(reader), path)
    except S2S2Error:
        raise
    except ModuleNotFoundError as error:
        raise DataError(
            f"{path} needs the package {error.name}. Install what volumes need: "
            f"`pip install 's2s2[{reader.extra}]'`."
        ) from error
    except MemoryError:
        raise
    except Exception as error:  # readers of corrupt files raise errors of any class
        cause = " ".join(str(error).split()).replace(str(path), "the file")[:200] or type(error).__name__
        raise DataError(
            f"{path} cannot be read as a volume ({cause}). Expected a whole {reader.name} file: copy it "
            "again from its source, or take it out."
        ) from error


def source_identity(path: Path) -> str:
    """Return what identifies a volume on disk: the bytes of its file, or of all files that it is made of."""
    reader = reader_of(path)
    if path.is_dir():
        # In the order in which the files of a mask belong to those of a series.
        files = sorted(
            (each for each in path.iterdir() if each.is_file()),
            key=lambda file: (counted(file.stem), file.name),
        )
    else:
        files = [path, *(reader.beside(path) if reader is not None and reader.beside is not None else ())]
    identities = [file_identity(each) for each in files]
    return identities[0] if files == [path] else Inputs({"files": identities}).digest
