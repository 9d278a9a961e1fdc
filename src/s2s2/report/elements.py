"""Pieces of a page: pictures with outlines, picture files, and templates filled with content."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from s2s2.core.types import LabelMap, Picture
from s2s2.report.pictures import data_uri, file_uri, flat_uri, outlines


@dataclass(frozen=True, slots=True)
class Panel:
    """One picture with the outlines that lie over it.

    Args:
        uri: The picture.
        alt: What it shows, for those who cannot see it.
        width: Of the picture in pixels.
        height: Of the picture in pixels.
        label: Text below it.
        score: Dice of the prediction as text, empty for none.
        truth: SVG path of the mask's borders, empty for none.
        prediction: SVG path of the prediction's borders, empty for none.
    """

    uri: str
    alt: str
    width: int
    height: int
    label: str = ""
    score: str = ""
    truth: str = ""
    prediction: str = ""

    @classmethod
    def drawn(
        cls, picture: Picture, alt: str, label: str = "", *, truth: LabelMap | None = None, flat: bool = False
    ) -> Panel:
        """Draw a picture with the borders of a mask over it; one of few flat colours is kept without loss."""
        height, width = picture.shape[:2]
        borders = "" if truth is None else outlines(truth, (height, width))
        uri = flat_uri(picture) if flat else data_uri(picture)
        return cls(uri, alt, width, height, label, truth=borders)


@dataclass(frozen=True, slots=True)
class View:
    """One image, or one slice of a volume, in one or two arms.

    Args:
        panels: One an arm.
        words: Which slice it is; empty for a flat image.
        key: What its picture is called on the page, so that it lies there once; empty for a flat image.
        first: Whether the picture is not on the page yet.
    """

    panels: tuple[Panel, ...]
    words: str = ""
    key: str = ""
    first: bool = True


@dataclass(frozen=True, slots=True)
class Sheet:
    """A picture file on the page, as it is.

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

    @classmethod
    def read(cls, path: Path, *, alt: str, caption: str) -> Sheet:
        """Take a picture file into the page.

        Raises:
            StorageError: If the file is missing or no picture.
        """
        return cls(*file_uri(path), alt, caption)


def render(template: str, content: Mapping[str, Any]) -> str:
    """Fill a template.

    Args:
        template: Name of a file in templates/.
        content: Everything that it shows.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("s2s2.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(content)
