"""Pictures of images and masks for people: display range, class colours, overlays, sheets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image as Pillow, ImageDraw, ImageFont

from s2s2.core.storage import atomic
from s2s2.core.types import Floats, Image, LabelMap, Picture, Region
from s2s2.data.grid import resize_image, resize_mask, working_shape
from s2s2.errors import ShapeError

Colours = Sequence[tuple[int, int, int]]
"""(red, green, blue) of each class id, 0 to 255."""

TILE = 160
"""Longer side of every picture of a sheet in pixels."""

# An outline is one pixel wide up to this side of the image, two at twice the side.
_SIDE_OF_ONE_PIXEL = 400
_GAP = 6
_LINE = 15
_QUALITY = 88


def displayed(image: Image, side: int | None = None, *, limits: tuple[float, float] | None = None) -> Picture:
    """Return an image as RGB.

    Three channels are shown as they are. Any other number of channels is shown by its
    first channel in grey, stretched from its 0.5th to its 99.5th percentile, since
    16-bit scanners often use a small part of their range.

    Args:
        image: In [0, 1].
        side: Longer side in pixels at most; None keeps the size.
        limits: What becomes black and white in grey instead, where several images are shown alike.

    Shape:
        - image: (channel, height, width).
        - returns: (height, width, 3).

    Example:
        >>> displayed(np.full((3, 200, 400), 0.5, np.float32), 100).shape
        (50, 100, 3)
        >>> ramp = np.linspace(0.1, 0.2, 64, dtype=np.float32).reshape(1, 8, 8)
        >>> int(displayed(ramp).min()), int(displayed(ramp).max())
        (0, 255)
    """
    return np.rint(_shown(image, side, limits)).astype(np.uint8)


def painted(labels: LabelMap, colours: Colours, side: int | None = None) -> Picture:
    """Return a label map in the colours of its classes.

    Args:
        labels: Class ids, (height, width).
        colours: Of the classes.
        side: Longer side in pixels at most; None keeps the size.
    """
    if side is not None and max(labels.shape) > side:
        labels = resize_mask(labels, working_shape(labels.shape, side))
    picture: Picture = np.asarray(colours, np.uint8)[labels]
    return picture


def overlay(image: Image, labels: LabelMap, colours: Colours, *, tint: float = 0.25) -> Picture:
    """Draw the classes over an image: a light tint, and a full outline inside each region.

    Args:
        image: In [0, 1], shown as by `displayed`.
        labels: Class ids; 0 is not drawn.
        colours: Of the classes.
        tint: Share of the colour in the pixels of a region, in [0, 1].

    Shape:
        - image: (channel, height, width).
        - labels: (height, width).

    Returns:
        RGB of shape (height, width, 3).

    Raises:
        ShapeError: If image and labels differ in height or width.

    Example:
        >>> labels = np.zeros((8, 8), np.uint8)
        >>> labels[2:6, 2:6] = 1
        >>> picture = overlay(np.zeros((3, 8, 8), np.float32), labels, [(0, 0, 0), (200, 100, 0)])
        >>> picture[2, 2].tolist(), picture[3, 3].tolist(), picture[0, 0].tolist()
        ([200, 100, 0], [50, 25, 0], [0, 0, 0])
    """
    if image.shape[1:] != labels.shape:
        raise ShapeError(
            f"Image and labels must have one height and width, got {image.shape[1:]} and {labels.shape}. "
            "Draw both on the original grid."
        )
    picture = _shown(image)
    for label in np.unique(labels[labels > 0]):
        region = labels == label
        colour: Floats = np.asarray(colours[label], dtype=np.float64)
        picture[region] = (1 - tint) * picture[region] + tint * colour
        picture[_outline(region)] = colour
    return np.rint(picture).astype(np.uint8)


@dataclass(frozen=True)
class SheetRow:
    """One row of a picture sheet.

    Args:
        words: Written above it.
        pictures: By the words at the head of each column, from left to right.
    """

    words: str
    pictures: Mapping[str, Picture]


def draw_sheet(rows: Sequence[SheetRow], path: Path) -> None:
    """Draw rows of pictures into a JPEG file; the same rows give the same bytes.

    Args:
        rows: One at least, all with pictures of the same names.
        path: File to write.

    Raises:
        StorageError: If the file cannot be written.
    """
    names = list(rows[0].pictures)
    font = ImageFont.load_default(11)
    width = len(names) * (TILE + _GAP) + _GAP
    height = _LINE + _GAP + len(rows) * (TILE + _LINE + _GAP)
    sheet = Pillow.new("RGB", (width, height), "white")
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


def grey_limits(values: Image) -> tuple[float, float]:
    """Return the values that become black and white: the 0.5th and the 99.5th percentile."""
    low, high = np.percentile(values, (0.5, 99.5))
    return float(low), float(high)


def _shown(image: Image, side: int | None = None, limits: tuple[float, float] | None = None) -> Image:
    """Return an image as RGB from 0 to 255, not yet rounded: (height, width, 3)."""
    height, width = image.shape[1:]
    if side is not None and max(height, width) > side:
        image = resize_image(image, working_shape((height, width), side))
    if image.shape[0] != 3:
        low, high = limits or grey_limits(image[0])
        image = np.repeat((image[:1] - low) / max(high - low, 1e-6), 3, axis=0)
    return np.clip(image, 0, 1).transpose(1, 2, 0) * 255


def _outline(region: Region) -> Region:
    """Return the pixels of a region that lie next to its outside."""
    from scipy.ndimage import binary_erosion

    width = max(1, round(max(region.shape) / _SIDE_OF_ONE_PIXEL))
    eroded: Region = binary_erosion(region, iterations=width)
    return region & ~eroded


def _tile(picture: Picture) -> Pillow.Image:
    """Return a picture scaled to the tile, small ones in sharp pixels."""
    height, width = picture.shape[:2]
    scale = TILE / max(height, width)
    shape = (max(1, round(width * scale)), max(1, round(height * scale)))
    method = Pillow.Resampling.NEAREST if scale > 1 else Pillow.Resampling.LANCZOS
    return Pillow.fromarray(picture).resize(shape, method)
