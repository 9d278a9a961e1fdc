"""Reader of TIFF files with any number of channels, as samples, planes or pages."""

from __future__ import annotations

from typing import Any, BinaryIO

import numpy as np

from s2s2.core.types import RawPixels
from s2s2.data.reading.reader import Decoded, Header, Palette, Reader, is_grey
from s2s2.errors import DataError

# Axes that can be channels. Z is depth and T is time: those are volumes and films, which are refused.
_CHANNEL_AXES = "SCIQ"
_MINISWHITE, _PALETTE = 0, 3
_ALPHA = (1, 2)
_ORIENTATION_TAG = 274
_JPEG = (6, 7, 33007)


def _header(file: BinaryIO) -> Header:
    from tifffile import TiffFile

    with TiffFile(file) as tiff:
        series = tiff.series[0]
        shape, _ = _layout(series.axes, series.shape)
        page = series.keyframe
        if int(page.photometric) == _PALETTE:
            colours = _colours(page.colormap)
            return Header(
                _upright(shape, page), 1 if is_grey(colours) else 3, 8, _orientation(page) != 1, True
            )
        channels = int(np.prod(series.shape)) // (shape[0] * shape[1])
        bits = 1 if page.bitspersample == 1 else series.dtype.itemsize * 8
        channels -= _alphas(page, channels)
        return Header(_upright(shape, page), channels, bits, _orientation(page) != 1)


def _decode(file: BinaryIO) -> Decoded:
    from tifffile import TiffFile

    with TiffFile(file) as tiff:
        series = tiff.series[0]
        page = series.keyframe
        _, axis = _layout(series.axes, series.shape)
        pixels, alpha = series.asarray(), None
        if axis is not None:
            pixels = np.moveaxis(pixels, axis, -1)
            alphas = _alphas(page, pixels.shape[-1])
            alpha = pixels[..., -1] if alphas else None
            pixels = pixels[..., : pixels.shape[-1] - alphas]
            pixels = pixels[..., 0] if pixels.shape[-1] == 1 else pixels
        orientation, lossy = _orientation(page), int(page.compression) in _JPEG
        if int(page.photometric) == _PALETTE:
            return Decoded(pixels, _colours(page.colormap), alpha, orientation)
        bits = 1 if page.bitspersample == 1 else pixels.dtype.itemsize * 8
    if pixels.dtype == bool:
        pixels = pixels.astype(np.uint8) * np.uint8(255)
    if int(page.photometric) == _MINISWHITE and np.issubdtype(pixels.dtype, np.unsignedinteger):
        pixels = np.iinfo(pixels.dtype).max - pixels
    pixels = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
    return Decoded(pixels, None, alpha, orientation, bits, lossy)


def _recognises(start: bytes) -> bool:
    return start[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def _layout(axes: str, shape: tuple[int, ...]) -> tuple[tuple[int, int], int | None]:
    """Return height and width, and which axis holds the channels (None: there is one)."""
    others = [axis for axis in axes if axis not in "YX"]
    if "Y" not in axes or "X" not in axes or len(others) > 1 or not set(others) <= set(_CHANNEL_AXES):
        raise DataError(
            f"it is a TIFF with axes {axes} of lengths {shape}, expected one image (height and width, "
            "with channels or without). Save each slice or frame of a volume or film as its own file."
        )
    size = shape[axes.index("Y")], shape[axes.index("X")]
    return size, axes.index(others[0]) if others else None


def _orientation(page: Any) -> int:
    tag = page.tags.get(_ORIENTATION_TAG)
    return int(tag.value) if tag is not None and tag.value in range(1, 9) else 1


def _upright(shape: tuple[int, int], page: Any) -> tuple[int, int]:
    return shape[::-1] if _orientation(page) >= 5 else shape


def _alphas(page: Any, channels: int) -> int:
    """Count the alpha channels, which come last."""
    return sum(int(kind) in _ALPHA for kind in page.extrasamples) if channels == page.samplesperpixel else 0


def _colours(colormap: RawPixels | None) -> Palette:
    palette = np.zeros((256, 3), np.uint8)
    if colormap is None:
        raise DataError("it is a palette TIFF without a palette.")
    palette[: min(256, colormap.shape[1])] = (colormap[:, :256].T >> 8).astype(np.uint8)
    return palette


TIFF = Reader(("TIFF",), (".tif", ".tiff"), _recognises, _header, _decode)
