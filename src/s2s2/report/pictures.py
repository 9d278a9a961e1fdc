"""Images as they stand on the page: small data URIs, and outlines that stay sharp in print."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from s2s2.core.types import Floats, Region
from s2s2.data.grid import resize_image, working_shape
from s2s2.errors import StorageError

Picture = npt.NDArray[np.uint8]
"""Height, width, RGB; 0..255."""

MOST_PIECES = 200
"""A prediction that is noise falls into thousands of pieces, which would swell the page."""


def displayed(image: npt.NDArray[np.float32], side: int) -> Picture:
    """Return an image as RGB whose longer side has at most `side` pixels.

    Three channels are shown as they are. Any other number of channels is shown by its
    first channel in grey, stretched from its 0.5th to its 99.5th percentile, since
    16-bit scanners often use a sliver of their range.

    Args:
        image: In [0, 1].
        side: Longest side in pixels.

    Shape:
        - image: (channel, height, width).
        - returns: (height, width, 3).

    Example:
        >>> displayed(np.full((3, 200, 400), 0.5, np.float32), 100).shape
        (50, 100, 3)
        >>> ramp = np.linspace(0.1, 0.2, 64, dtype=np.float32).reshape(1, 8, 8)
        >>> int(displayed(ramp, 8).min()), int(displayed(ramp, 8).max())
        (0, 255)
    """
    height, width = image.shape[1:]
    if max(height, width) > side:
        image = resize_image(image, working_shape((height, width), side))
    if image.shape[0] != 3:
        low, high = np.percentile(image[0], (0.5, 99.5))
        grey = (image[:1] - low) / max(float(high - low), 1e-6)
        image = np.repeat(grey, 3, axis=0)
    return np.rint(np.clip(image, 0, 1).transpose(1, 2, 0) * 255).astype(np.uint8)


def painted(mask: npt.NDArray[np.uint8], colours: tuple[tuple[int, int, int], ...], side: int) -> Picture:
    """Return a label map in the colours of its classes, longest side at most `side` pixels."""
    height, width = working_shape(mask.shape, side) if max(mask.shape) > side else mask.shape
    image = Image.fromarray(mask).resize((width, height), Image.Resampling.NEAREST)
    table = np.zeros((256, 3), np.uint8)
    table[: len(colours)] = colours
    picture: Picture = table[np.asarray(image)]
    return picture


def data_uri(picture: Picture, quality: int = 80) -> str:
    """Return a picture as a WebP data URI.

    Example:
        >>> data_uri(np.zeros((4, 4, 3), np.uint8))[:23]
        'data:image/webp;base64,'
    """
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "WEBP", quality=quality, method=4)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


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
    buffer = io.BytesIO()
    Image.fromarray(picture).quantize(64).save(buffer, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def outline(inside: Region, grid: tuple[int, int]) -> str:
    """Return the border of a region as an SVG path on a display grid.

    The region is averaged down to the grid and cut at one half, so the line runs
    between pixels and stays smooth; it is closed along the image's edge. Of a region in
    very many pieces the `MOST_PIECES` with the longest borders are drawn.

    Args:
        inside: True within the region.
        grid: Height and width of the picture that the path is laid over.

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


def outlines(mask: npt.NDArray[np.uint8], grid: tuple[int, int]) -> str:
    """Return the borders of every class but the background, as one SVG path.

    Args:
        mask: Class ids.
        grid: Height and width of the picture that the path is laid over.
    """
    return "".join(outline(mask == label, grid) for label in np.unique(mask) if label)


def _path(points: Floats) -> str:
    # Every second vertex of a marching-squares line carries the shape: half the bytes.
    thinned = points[:-1:2] if len(points) > 24 else points[:-1]
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in thinned) + "Z"
