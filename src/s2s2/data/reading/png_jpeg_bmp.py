"""Reader of PNG, JPEG and BMP files.

16-bit PNG goes through imagecodecs, because Pillow would cut its colours to 8 bits.
"""

from __future__ import annotations

from typing import BinaryIO

import numpy as np
from PIL import Image

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
    orientation = _png_orientation(file)
    if start := _deep_png_start(file):
        width, height = int.from_bytes(start[16:20]), int.from_bytes(start[20:24])
        return Header(_upright(height, width, orientation), _PNG_CHANNELS[start[25]], 16, orientation != 1)
    with Image.open(file, formats=_FORMATS) as image:
        orientation = max(orientation, _jpeg_orientation(image))
        shape = _upright(image.height, image.width, orientation)
        bits = {"1": 1, "I;16": 16, "I": 16}.get(image.mode, 8)
        palette = image.mode in ("P", "PA")
        grey = is_grey(palette_of(image)) if palette else image.mode in ("1", "L", "LA", "I", "I;16")
        return Header(shape, 1 if grey else 3, bits, orientation != 1, palette)


def _upright(height: int, width: int, orientation: int) -> tuple[int, int]:
    return (width, height) if orientation >= 5 else (height, width)


def _decode(file: BinaryIO) -> Decoded:
    orientation = _png_orientation(file)
    if _deep_png_start(file):
        return _decode_deep_png(file, orientation)
    with Image.open(file, formats=_FORMATS) as image:
        orientation = max(orientation, _jpeg_orientation(image))
        image.load()
        lossy, bits = image.format in ("JPEG", "MPO"), 1 if image.mode == "1" else 8
        palette = palette_of(image) if image.mode in ("P", "PA") else None
        if image.mode in ("CMYK", "YCbCr", "LAB", "HSV"):
            pixels = np.asarray(image.convert("RGB"))
        else:
            pixels = np.asarray(image)
        has_alpha = image.mode in ("LA", "PA", "RGBA")
    if pixels.dtype == bool:
        pixels = pixels.astype(np.uint8) * np.uint8(255)
    alpha = pixels[..., -1] if has_alpha else None
    if pixels.ndim == 3:
        pixels = pixels[..., :3] if pixels.shape[-1] > 2 else pixels[..., 0]
    return Decoded(pixels, palette, alpha, orientation, bits, lossy)


def _decode_deep_png(file: BinaryIO, orientation: int) -> Decoded:
    from imagecodecs import png_decode

    pixels: RawPixels = png_decode(file.read())
    alpha = None
    if pixels.ndim == 3 and pixels.shape[2] in (2, 4):
        pixels, alpha = pixels[..., :-1], pixels[..., -1]
    grey = pixels.ndim == 3 and pixels.shape[2] == 1
    return Decoded(pixels[..., 0] if grey else pixels, None, alpha, orientation, 16)


def _jpeg_orientation(image: Image.Image) -> int:
    return _valid(image.getexif()) if image.format in ("JPEG", "MPO") else 1


def _png_orientation(file: BinaryIO) -> int:
    """Return the orientation that a PNG file states in its chunk eXIf; 1 for all other files.

    Pillow would decode the pixels first, because the chunk may lie behind them.
    """
    file.seek(0)
    orientation = 1
    if file.read(8) == _PNG:
        while len(head := file.read(8)) == 8 and head[4:] != b"IEND":
            if head[4:] == b"eXIf":
                orientation = _stated(file.read(int.from_bytes(head[:4])))
                break
            file.seek(int.from_bytes(head[:4]) + 4, 1)
    file.seek(0)
    return orientation


def _stated(chunk: bytes) -> int:
    exif = Image.Exif()
    try:
        exif.load(chunk)
        return _valid(exif)
    except Exception:  # a corrupt tag does not make the pixels worse
        return 1


def _valid(exif: Image.Exif) -> int:
    tag = exif.get(_ORIENTATION_TAG, 1)
    return tag if isinstance(tag, int) and 1 <= tag <= 8 else 1


def palette_of(image: Image.Image) -> Palette:
    """Return the colours of an image whose pixels are indices."""
    entries = image.getpalette("RGB") or []
    palette = np.zeros((256, 3), np.uint8)
    palette[: len(entries) // 3] = np.array(entries, np.uint8).reshape(-1, 3)
    return palette


PNG_JPEG_BMP = Reader(_FORMATS, (".png", ".jpg", ".jpeg", ".bmp"), _recognises, _header, _decode)
