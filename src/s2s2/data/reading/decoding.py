"""From a file to an array: one place that knows PNG, JPEG, BMP and TIFF.

The content decides, not the suffix. 16-bit PNG goes through imagecodecs, because
Pillow would cut its colours to 8 bits; TIFF goes through tifffile, because it may
hold any number of channels.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from s2s2.data.reading.tiff import decode_tiff, tiff_header
from s2s2.errors import DataError

_PILLOW_FORMATS = ("PNG", "JPEG", "BMP")
_ORIENTATION_TAG = 0x0112
_PNG_CHANNELS = {0: 1, 2: 3, 4: 1, 6: 3}


class Header(NamedTuple):
    """What a file says about its image before the pixels are decoded.

    Args:
        shape: Height and width in pixels, as a viewer shows it.
        channels: Number of channels, without alpha.
        bits: Bits a channel: 1, 8, 16 or 32 (float).
        rotated: Whether a camera's orientation tag turns or mirrors the pixels.
    """

    shape: tuple[int, int]
    channels: int
    bits: int
    rotated: bool = False


@dataclass(frozen=True)
class Decoded:
    """The pixels of a file, without alpha.

    Args:
        pixels: Shape (height, width) or (height, width, channel); uint8, uint16 or
            floating point. Of a palette file the indices.
        palette: Colours of a palette file, shape (entry, 3), uint8; else None.
    """

    pixels: npt.NDArray[Any]
    palette: npt.NDArray[np.uint8] | None = None


def header(path: str | Path) -> Header:
    """Read shape, channels and bits of an image file without decoding it.

    Raises:
        DataError: If the file is missing, torn or of another kind.
    """
    with _opened(path) as (file, start):
        if _is_tiff(start):
            return Header(*tiff_header(file))
        if _is_deep_png(start):
            size = int.from_bytes(start[20:24]), int.from_bytes(start[16:20])
            return Header(size, _PNG_CHANNELS[start[25]], 16)
        return _pillow_header(file)


def decode(path: str | Path) -> Decoded:
    """Decode an image file: PNG, JPEG, BMP or TIFF.

    Raises:
        DataError: If the file is missing, torn or of another kind.
    """
    with _opened(path) as (file, start):
        if _is_tiff(start):
            return Decoded(*decode_tiff(file))
        if _is_deep_png(start):
            return Decoded(_deep_png(file.read()))
        return _pillow_decode(file)


@contextmanager
def _opened(path: str | Path) -> Iterator[tuple[BinaryIO, bytes]]:
    """Open a file, and give its first bytes, which say of which kind it is."""
    try:
        with open(path, "rb") as file:
            start = file.read(26)
            file.seek(0)
            yield file, start
    except Exception as error:  # decoders of torn files raise whatever they stumble over
        raise _unreadable(path, error) from error


def _unreadable(path: str | Path, error: Exception) -> DataError:
    if isinstance(error, DataError):
        return DataError(f"{path} cannot be read: {error}")
    if isinstance(error, FileNotFoundError):
        return DataError(f"There is no file {path}. Check the path, or the list that names it.")
    if isinstance(error, Image.DecompressionBombError):
        return DataError(f"{path} is too large to be read as one image ({error}). Cut it into tiles.")
    cause = str(error).replace(str(path), "the file").split("<_io")[0].strip() or type(error).__name__
    return DataError(
        f"{path} cannot be read as an image ({cause}). "
        "Expected a whole PNG, JPEG, TIFF or BMP file: copy it again, or take the case out."
    )


def _is_tiff(start: bytes) -> bool:
    return start[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def _is_deep_png(start: bytes) -> bool:
    return start[:8] == b"\x89PNG\r\n\x1a\n" and start[24:25] == b"\x10"


def _deep_png(content: bytes) -> npt.NDArray[np.uint16]:
    from imagecodecs import png_decode

    pixels: npt.NDArray[np.uint16] = png_decode(content)
    if pixels.ndim == 3 and pixels.shape[2] in (2, 4):
        pixels = pixels[..., :-1]
    return pixels[..., 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels


def _orientation(image: Image.Image) -> int:
    # Only cameras write the tag, and only JPEG holds it where Pillow need not decode.
    return int(image.getexif().get(_ORIENTATION_TAG, 1)) if image.format in ("JPEG", "MPO") else 1


def _pillow_header(file: IO[bytes]) -> Header:
    with Image.open(file, formats=_PILLOW_FORMATS) as image:
        width, height = image.size
        orientation = _orientation(image)
        if orientation >= 5:
            width, height = height, width
        bits = {"1": 1, "I;16": 16, "I": 16}.get(image.mode, 8)
        if image.mode in ("P", "PA"):
            channels = 1 if _is_grey(_palette(image)) else 3
        else:
            channels = 1 if image.mode in ("1", "L", "LA", "I", "I;16") else 3
        return Header((height, width), channels, bits, orientation != 1)


def _pillow_decode(file: IO[bytes]) -> Decoded:
    with Image.open(file, formats=_PILLOW_FORMATS) as image:
        image.load()
        upright = ImageOps.exif_transpose(image) if _orientation(image) != 1 else image
        if image.mode in ("P", "PA"):
            indices = np.asarray(upright)
            return Decoded(indices[..., 0] if indices.ndim == 3 else indices, _palette(image))
        if upright.mode in ("CMYK", "YCbCr", "LAB", "HSV"):
            upright = upright.convert("RGB")
        pixels = np.asarray(upright)
    if pixels.dtype == bool:
        return Decoded(pixels.astype(np.uint8) * np.uint8(255))
    if upright.mode == "LA":
        return Decoded(pixels[..., 0])
    return Decoded(pixels[..., :3] if pixels.ndim == 3 else pixels)


def _palette(image: Image.Image) -> npt.NDArray[np.uint8]:
    entries = image.getpalette("RGB") or []
    palette = np.zeros((256, 3), np.uint8)
    palette[: len(entries) // 3] = np.array(entries, np.uint8).reshape(-1, 3)
    return palette


def _is_grey(palette: npt.NDArray[np.uint8]) -> bool:
    return bool((palette == palette[:, :1]).all())
