"""Reader of PNG, JPEG and BMP files.

16-bit PNG goes through imagecodecs, because Pillow would cut its colours to 8 bits.
"""

from __future__ import annotations

from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps

from s2s2.core.types import RawPixels
from s2s2.data.reading.reader import Decoded, Header, Palette, Reader, is_grey

_FORMATS = ("PNG", "JPEG", "BMP")
_PNG = b"\x89PNG\r\n\x1a\n"
_ORIENTATION_TAG = 0x0112
_PNG_CHANNELS = {0: 1, 2: 3, 4: 1, 6: 3}


def _recognises(start: bytes) -> bool:
    return start.startswith((_PNG, b"\xff\xd8\xff", b"BM"))


def _deep_png_start(file: BinaryIO) -> bytes | None:
    """Return the first 26 bytes of a 16-bit PNG; None for all other files."""
    start = file.read(26)
    file.seek(0)
    return start if start.startswith(_PNG) and start[24:25] == b"\x10" else None


def _header(file: BinaryIO) -> Header:
    if start := _deep_png_start(file):
        size = int.from_bytes(start[20:24]), int.from_bytes(start[16:20])
        return Header(size, _PNG_CHANNELS[start[25]], 16)
    with Image.open(file, formats=_FORMATS) as image:
        width, height = image.size
        orientation = _orientation(image)
        if orientation >= 5:
            width, height = height, width
        bits = {"1": 1, "I;16": 16, "I": 16}.get(image.mode, 8)
        if image.mode in ("P", "PA"):
            channels = 1 if is_grey(_palette(image)) else 3
        else:
            channels = 1 if image.mode in ("1", "L", "LA", "I", "I;16") else 3
        return Header((height, width), channels, bits, orientation != 1)


def _decode(file: BinaryIO) -> Decoded:
    if _deep_png_start(file):
        return _decode_deep_png(file)
    with Image.open(file, formats=_FORMATS) as image:
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


def _decode_deep_png(file: BinaryIO) -> Decoded:
    from imagecodecs import png_decode

    pixels: RawPixels = png_decode(file.read())
    if pixels.ndim == 3 and pixels.shape[2] in (2, 4):
        pixels = pixels[..., :-1]
    return Decoded(pixels[..., 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels)


def _orientation(image: Image.Image) -> int:
    # Only cameras write the tag, and only JPEG holds it where Pillow need not decode.
    return int(image.getexif().get(_ORIENTATION_TAG, 1)) if image.format in ("JPEG", "MPO") else 1


def _palette(image: Image.Image) -> Palette:
    entries = image.getpalette("RGB") or []
    palette = np.zeros((256, 3), np.uint8)
    palette[: len(entries) // 3] = np.array(entries, np.uint8).reshape(-1, 3)
    return palette


PNG_JPEG_BMP = Reader(_FORMATS, (".png", ".jpg", ".jpeg", ".bmp"), _recognises, _header, _decode)
