"""Pictures on the page: images as data URIs, outlines of masks as SVG paths."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
from PIL import Image

from s2s2.core.types import Floats, LabelMap, Picture, Region
from s2s2.data.grid import resize_image
from s2s2.errors import StorageError

MOST_PIECES = 200
"""A prediction that is noise falls into thousands of pieces, which would swell the page."""

OFF = 0.4
"""Pixels that a border may be drawn off its place: less than half the width of its line, and enough to
leave out the steps of a slanted one."""


def data_uri(picture: Picture, quality: int = 80) -> str:
    """Return a picture as a WebP data URI.

    Example:
        >>> data_uri(np.zeros((4, 4, 3), np.uint8))[:23]
        'data:image/webp;base64,'
    """
    return _uri(Image.fromarray(picture), "webp", quality=quality, method=4)


def file_uri(path: Path, most: int = 1200) -> tuple[str, int, int]:
    """Return a picture file as a WebP data URI, with its width and height in pixels.

    Args:
        path: Of the picture.
        most: Largest width in pixels.

    Raises:
        StorageError: If the file is missing or no picture.
    """
    try:
        with Image.open(path) as opened:
            image = opened.convert("RGB")
    except OSError as error:
        raise StorageError(
            f"{path} cannot be shown ({error}), expected a picture. Make it again, or remove it."
        ) from error
    if image.width > most:
        image = image.resize((most, max(1, round(image.height * most / image.width))))
    return data_uri(np.asarray(image), 75), image.width, image.height


def flat_uri(picture: Picture) -> str:
    """Return a picture of few flat colours as a PNG data URI."""
    return _uri(Image.fromarray(picture).quantize(64), "png", optimize=True)


def _uri(image: Image.Image, kind: str, **options: object) -> str:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return f"data:image/{kind};base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def outline(inside: Region, grid: tuple[int, int]) -> str:
    """Return the border of a region as an SVG path on a display grid.

    The region is averaged down to the grid and cut at one half, so the line runs
    between pixels and stays smooth; it is closed along the image's edge. Of a region in
    very many pieces the `MOST_PIECES` with the longest borders are drawn.

    Args:
        inside: True within the region.
        grid: Height and width of the picture that the path is drawn over.

    Shape:
        - inside: (height, width).

    Example:
        >>> region = np.zeros((8, 8), bool)
        >>> outline(region, (8, 8))
        ''
        >>> region[2:6, 2:6] = True
        >>> outline(region, (8, 8)).count("Z")
        1
    """
    from contourpy import contour_generator

    share = resize_image(inside[None].astype(np.float32), grid)[0]
    lines = [np.asarray(line) for line in contour_generator(z=np.pad(share, 1)).lines(0.5)]
    scale = np.array(grid[::-1])
    longest = sorted(lines, key=len, reverse=True)[:MOST_PIECES]
    return "".join(_path(np.clip(line - 0.5, 0, scale)) for line in longest if len(line) > 3)


def outlines(mask: LabelMap, grid: tuple[int, int]) -> str:
    """Return the borders of every class but the background, as one SVG path.

    Args:
        mask: Class ids.
        grid: Height and width of the picture that the path is drawn over.
    """
    return "".join(outline(mask == label, grid) for label in np.unique(mask) if label)


def _path(points: Floats) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in simplified(points[:-1])) + "Z"


def simplified(ring: Floats, most: float = OFF) -> Floats:
    """Return the fewest corners of a ring that every other one lies close to, by halving (Douglas-Peucker).

    Args:
        ring: Corners; the last one is joined to the first.
        most: Distance in pixels that a corner may lie off the line that is left.

    Shape:
        - ring: (corner, 2).
        - returns: (corner, 2), a part of `ring` in the same order.

    Example:
        >>> simplified(np.array([[0, 0], [2, 0.1], [4, 0], [4, 4], [0, 4]])).tolist()
        [[0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [0.0, 4.0]]

    Reference:
        Douglas and Peucker, *Algorithms for the reduction of the number of points required to represent
        a digitized line*, Cartographica 1973.
    """
    opposite = int(np.linalg.norm(ring - ring[0], axis=1).argmax())
    closed = np.concatenate([ring, ring[:1]])
    kept, open_parts = {0, opposite}, [(0, opposite), (opposite, len(ring))]
    while open_parts:
        first, last = open_parts.pop()
        between = closed[first + 1 : last]
        if not len(between):
            continue
        distances = _off_line(between, closed[first], closed[last])
        if distances.max() > most:
            corner = first + 1 + int(distances.argmax())
            kept.add(corner)
            open_parts += [(first, corner), (corner, last)]
    found: Floats = ring[sorted(kept)]
    return found


def _off_line(points: Floats, start: Floats, end: Floats) -> Floats:
    """Return the distance of each point from the piece of line between two others."""
    along, away = end - start, points - start
    length = float(along @ along)
    share = np.clip(away @ along / length, 0, 1) if length else np.zeros(len(points))
    return np.asarray(np.linalg.norm(away - share[:, None] * along, axis=1))
