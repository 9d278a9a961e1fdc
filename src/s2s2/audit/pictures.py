"""Drawing of picture sheets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from s2s2.core.storage import atomic

Picture = npt.NDArray[np.uint8]
"""Height, width, RGB; 0..255."""

TILE = 160
"""Longer side of every picture in pixels."""
_GAP = 6
_LINE = 15
_TINT = 0.25
_QUALITY = 88


@dataclass(frozen=True)
class Row:
    """One row of a sheet.

    Args:
        words: Written above it.
        pictures: By the words under each, from left to right.
    """

    words: str
    pictures: Mapping[str, Picture]


def displayed(image: npt.NDArray[np.float32]) -> Picture:
    """Return an image as RGB; of other than 3 channels the first in grey, stretched to its range.

    Shape:
        - image: (channel, height, width), in [0, 1].
        - returns: (height, width, 3).
    """
    if image.shape[0] != 3:
        low, high = np.percentile(image[0], (0.5, 99.5))
        image = np.repeat((image[:1] - low) / max(float(high - low), 1e-6), 3, axis=0)
    return np.rint(np.clip(image, 0, 1).transpose(1, 2, 0) * 255).astype(np.uint8)


def painted(labels: npt.NDArray[np.uint8], colours: Sequence[tuple[int, int, int]]) -> Picture:
    """Return a label map in the colours of its classes."""
    return np.asarray(colours, np.uint8)[labels]


def laid_over(
    image: npt.NDArray[np.float32], labels: npt.NDArray[np.uint8], colours: Sequence[tuple[int, int, int]]
) -> Picture:
    """Return an image with its classes as a light tint with a full outline."""
    from scipy.ndimage import binary_erosion

    picture = displayed(image).astype(np.float64)
    for label in np.unique(labels[labels > 0]):
        region = labels == label
        colour = np.asarray(colours[label], np.float64)
        picture[region] = (1 - _TINT) * picture[region] + _TINT * colour
        picture[region & ~binary_erosion(region)] = colour
    return np.rint(picture).astype(np.uint8)


def draw_sheet(rows: Sequence[Row], path: Path) -> None:
    """Draw rows of pictures into a JPEG file; the same rows give the same bytes.

    Args:
        rows: One at least, all with pictures of the same names.
        path: File to write.
    """
    names = list(rows[0].pictures)
    font = ImageFont.load_default(11)
    width = len(names) * (TILE + _GAP) + _GAP
    height = _LINE + _GAP + len(rows) * (TILE + _LINE + _GAP)
    sheet = Image.new("RGB", (width, height), "white")
    pen = ImageDraw.Draw(sheet)
    for column, name in enumerate(names):
        pen.text((_GAP + column * (TILE + _GAP), 3), name, "black", font)
    for number, row in enumerate(rows):
        top = _LINE + _GAP + number * (TILE + _LINE + _GAP)
        pen.text((_GAP, top), row.words, "dimgray", font)
        for column, name in enumerate(names):
            sheet.paste(_tile(row.pictures[name]), (_GAP + column * (TILE + _GAP), top + _LINE))
    with atomic(path) as temporary:
        sheet.save(temporary, "JPEG", quality=_QUALITY)


def _tile(picture: Picture) -> Image.Image:
    """Return a picture scaled to the tile, small ones in sharp pixels."""
    height, width = picture.shape[:2]
    scale = TILE / max(height, width)
    shape = (max(1, round(width * scale)), max(1, round(height * scale)))
    method = Image.Resampling.NEAREST if scale > 1 else Image.Resampling.LANCZOS
    return Image.fromarray(picture).resize(shape, method)
