"""Kinds of DICOM files by their first bytes, so that folders are listed without a library for DICOM."""

from __future__ import annotations

import os
from pathlib import Path

from s2s2.data.files import SUFFIXES

_MARK = b"DICM"
_PREAMBLE = 128
_BEGINNING = 1024
"""Bytes in which the kind of object stands: it is the second element behind the mark."""
_KIND = b"\x02\x00\x02\x00UI"
_PROBED = 3
"""Files of a folder that are looked into; others may be of no use, such as a DICOMDIR."""

DIRECTORY = "1.2.840.10008.1.3.10"
SEGMENTATIONS = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
"""Segmentation Storage and Label Map Segmentation Storage (DICOM PS3.4, table B.5-1)."""
MULTI_FRAME = (
    "1.2.840.10008.5.1.4.1.1.2.1",
    "1.2.840.10008.5.1.4.1.1.2.2",
    "1.2.840.10008.5.1.4.1.1.4.1",
    "1.2.840.10008.5.1.4.1.1.4.4",
    "1.2.840.10008.5.1.4.1.1.130",
    "1.2.840.10008.5.1.4.1.1.128.1",
)
"""Enhanced and legacy converted CT, MR and PET (the same table): one file holds all slices."""

BESIDE = frozenset({".txt", ".csv", ".json", ".xml", ".md", ".pdf", ".html", ".ini", ".db", ".inf", ".exe"})
"""Suffixes of files that discs and exports have beside DICOM files, and that are no part of a series."""


def kind_of(path: Path) -> str | None:
    """Return the UID of what a file holds (Media Storage SOP Class), "" where it does not say.

    None where it is no DICOM file.
    """
    try:
        with open(path, "rb") as file:
            start = file.read(_BEGINNING)
    except OSError:
        return None
    if start[_PREAMBLE : _PREAMBLE + 4] != _MARK:
        return None
    place = start.find(_KIND, _PREAMBLE)
    if place < 0:
        return ""
    value = place + len(_KIND) + 2
    length = int.from_bytes(start[value - 2 : value], "little")
    return start[value : value + length].rstrip(b"\0 ").decode("ascii", "replace")


def files_in(folder: Path) -> list[Path]:
    """Return the files of a folder that may be DICOM, sorted by name, without hidden files and documents."""
    names = sorted(os.listdir(folder))
    return [
        folder / name
        for name in names
        if os.path.isfile(folder / name)  # False for links that lead in circles
        and not name.startswith(".")
        and Path(name).suffix.lower() not in BESIDE
        and not name.upper().startswith("DICOMDIR")
    ]


def is_image(path: Path) -> bool:
    """Whether a path is a DICOM image: a .dcm file, or a folder whose files are the slices of one.

    A folder with one file of many slices is such a folder too.
    """
    if path.is_dir():
        return _holds(path, segmentation=False)
    return path.suffix.lower() == ".dcm" and kind_of(path) not in SEGMENTATIONS


def is_segmentation(path: Path) -> bool:
    """Whether a path is a DICOM-SEG: a .dcm file, or a folder with one such file."""
    if path.is_dir():
        return _holds(path, segmentation=True)
    return path.suffix.lower() == ".dcm" and kind_of(path) in SEGMENTATIONS


def _holds(folder: Path, *, segmentation: bool) -> bool:
    try:
        files = files_in(folder)
    except OSError:
        return False
    if not files or files[0].suffix.lower() in SUFFIXES:
        return False
    kinds = {kind for kind in map(kind_of, files[:_PROBED]) if kind is not None}
    if kinds - {*SEGMENTATIONS, *MULTI_FRAME}:
        return not segmentation
    # Of several files that hold all slices each is a volume of its own.
    return bool(kinds) and len(files) == 1 and bool(kinds & {*SEGMENTATIONS}) == segmentation
