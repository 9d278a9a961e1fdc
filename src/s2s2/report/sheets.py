"""Pictures that others drew, taken into the page as they are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from s2s2.report.pictures import file_uri


@dataclass(frozen=True, slots=True)
class Sheet:
    """A picture file on the page.

    Args:
        uri: The picture.
        width: In pixels.
        height: In pixels.
        alt: What it shows, for those who cannot see it.
        caption: Text below it.
    """

    uri: str
    width: int
    height: int
    alt: str
    caption: str


def read_sheet(path: Path, *, alt: str, caption: str) -> Sheet:
    """Take a picture file into the page.

    Args:
        path: Of the picture.
        alt: What it shows.
        caption: Text below it.

    Raises:
        StorageError: If the file is missing or no picture.
    """
    uri, width, height = file_uri(path)
    return Sheet(uri, width, height, alt, caption)
