"""Odd and corrupt image files: how each is made, and whether it must be read or refused."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import imagecodecs
import numpy as np
import numpy.typing as npt
import tifffile
from PIL import Image

Pixels = npt.NDArray[Any]


class Odd(NamedTuple):
    """A file in place of a good one.

    Args:
        suffix: Of its name.
        content: Its bytes.
        expected: The pixels it must be read as, 0 to 255; None where it must be refused.
        off: By how much a pixel may differ.
    """

    suffix: str
    content: bytes
    expected: Pixels | None = None
    off: float = 0


def odd_images(rgb: Pixels) -> dict[str, Odd]:
    """Return odd files of an 8-bit RGB image, by what is odd."""
    return {**dict(_broken(rgb)), **_not_images(rgb), **_formats(rgb), **_tiffs(rgb), **_refused_tiffs(rgb)}


def _broken(rgb: Pixels) -> Iterator[tuple[str, Odd]]:
    for suffix, whole in (("png", _pil(rgb, "png")), ("jpg", _pil(rgb, "jpeg")), ("tif", tiff(rgb))):
        for share in (0, 0.01, 0.1, 0.5, 0.9):
            yield f"{suffix} cut at {share:.0%}", Odd(suffix, cut(whole, share))
        for place in (0, 4):
            yield f"{suffix} with byte {place} flipped", Odd(suffix, flipped(whole, place))
        yield f"{suffix} with more behind it", Odd(suffix, whole + b"x" * 100, rgb, 60 * (suffix == "jpg"))
    png = _pil(rgb, "png")
    for share in (0.2, 0.4, 0.6, 0.8):
        yield f"png flipped at {share:.0%}", Odd("png", flipped(png, int(len(png) * share)))


def _not_images(rgb: Pixels) -> dict[str, Odd]:
    plain = tiff(rgb)
    return {
        "text": Odd("png", b"hello"),
        "a page of a server": Odd("png", b"<html><body>404</body></html>"),
        "an archive": Odd("png", b"PK\x03\x04" + b"0" * 99),
        "a png of 10 gigapixels": Odd("png", huge_png(100_000, 100_000)),
        "a png of the largest size": Odd("png", huge_png(2**31 - 1, 2**31 - 1)),
        "a png of no pixel": Odd("png", huge_png(0, 0)),
        "a tiff whose directory lies outside": Odd(
            "tif", plain[:4] + struct.pack("<I", 2**32 - 16) + plain[8:]
        ),
        "a tiff whose directory is itself": Odd("tif", plain[:4] + struct.pack("<I", 4) + plain[8:]),
    }


def _formats(rgb: Pixels) -> dict[str, Odd]:
    grey = rgb[..., 0]
    three = np.repeat(grey[..., None], 3, axis=-1)
    opaque, faint = (np.dstack([rgb, np.full(grey.shape, alpha, np.uint8)]) for alpha in (255, 99))
    few = Image.fromarray(rgb).convert("P", palette=Image.Palette.ADAPTIVE)
    return {
        "png named jpg": Odd("jpg", _pil(rgb, "png"), rgb),
        "png named tif": Odd("tif", _pil(rgb, "png"), rgb),
        "tiff named png": Odd("png", tiff(rgb), rgb),
        "png of 16 bits": Odd("png", imagecodecs.png_encode(rgb.astype(np.uint16) * 257), rgb),
        "png with alpha": Odd("png", _pil(opaque, "png"), rgb),
        "png with faint alpha": Odd("png", _pil(faint, "png"), rgb),
        "grey png among colours": Odd("png", _pil(grey, "png"), three),
        "png with a palette": Odd("png", saved(few, "png"), np.asarray(few.convert("RGB"))),
        "grey jpeg": Odd("jpg", _pil(grey, "jpeg"), three, 30),
        "progressive jpeg": Odd("jpg", _pil(rgb, "jpeg", progressive=True), rgb, 60),
        "bmp": Odd("bmp", _pil(rgb, "bmp"), rgb),
    }


def _tiffs(rgb: Pixels) -> dict[str, Odd]:
    kinds: dict[str, tuple[Pixels, dict[str, Any]]] = {
        **{
            f"of {name}": (rgb, {"compression": name}) for name in ("zlib", "lzw", "zstd", "packbits", "lzma")
        },
        "big endian": (rgb, {"byteorder": ">"}),
        "with 64-bit offsets": (rgb, {"bigtiff": True}),
        "in tiles": (rgb, {"tile": (16, 16)}),
        "of planes": (rgb.transpose(2, 0, 1).copy(), {"photometric": "rgb", "planarconfig": "separate"}),
        "of 16 bits": (rgb.astype(np.uint16) * 257, {}),
        "of floats": ((rgb / 255).astype(np.float32), {}),
        "of doubles": (rgb / 255, {}),
    }
    return {
        f"tiff {name}": Odd("tif", tiff(pixels, **how), rgb, 1e-3) for name, (pixels, how) in kinds.items()
    }


def _refused_tiffs(rgb: Pixels) -> dict[str, Odd]:
    grey, share = rgb[..., 0], (rgb / 255).astype(np.float32)
    holed, endless = share.copy(), share.copy()
    holed[3, 3], endless[3, 3] = np.nan, np.inf
    kinds: dict[str, tuple[Pixels, dict[str, Any]]] = {
        "of floats to 255": (rgb.astype(np.float32), {}),
        "with a pixel that is no number": (holed, {}),
        "with an infinite pixel": (endless, {}),
        "with negative pixels": (rgb.astype(np.int16) - 100, {}),
        "of 32-bit integers": (rgb.astype(np.int32), {}),
        "of complex numbers": (grey.astype(np.complex64), {}),
        "of several frames": (np.stack([rgb, rgb, rgb]), {}),
        "of slices": (np.stack([grey] * 5), {"photometric": "minisblack"}),
        "of five channels": (
            np.dstack([rgb, rgb[..., :2]]),
            {"photometric": "minisblack", "planarconfig": "contig"},
        ),
        "of two channels": (rgb[..., :2], {"photometric": "minisblack", "planarconfig": "contig"}),
        "of four inks": (np.dstack([rgb, grey]), {"photometric": "separated"}),
    }
    return {f"tiff {name}": Odd("tif", tiff(pixels, **how)) for name, (pixels, how) in kinds.items()}


def _pil(pixels: Pixels, kind: str, **options: Any) -> bytes:
    return saved(Image.fromarray(pixels), kind, **({"quality": 98} if kind == "jpeg" else {}), **options)


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    """Return the file of an image."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def tiff(pixels: Pixels, **options: Any) -> bytes:
    """Return the TIFF file of pixels of shape (height, width[, channel])."""
    if pixels.shape[-1] == 3:
        options = {"photometric": "rgb", **options}
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, pixels, **options)
    return buffer.getvalue()


def cut(content: bytes, share: float) -> bytes:
    """Return the first part of a file."""
    return content[: int(len(content) * share)]


def flipped(content: bytes, place: int) -> bytes:
    """Return a file with all bits of a byte flipped."""
    changed = bytearray(content)
    changed[place] ^= 0xFF
    return bytes(changed)


def huge_png(width: int, height: int) -> bytes:
    """Return a colour PNG that claims a size and holds almost nothing."""
    return _png_of(width, height, 2, b"\0" * 100)


def adam7(grey: Pixels) -> bytes:
    """Return the interlaced PNG of 8-bit grey pixels, which Pillow does not write."""
    starts = (
        (0, 0, 8, 8),
        (0, 4, 8, 8),
        (4, 0, 8, 4),
        (0, 2, 4, 4),
        (2, 0, 4, 2),
        (0, 1, 2, 2),
        (1, 0, 2, 1),
    )
    passes = [grey[row::down, column::right] for row, column, down, right in starts]
    lines = b"".join(b"\0" + line.tobytes() for part in passes if part.size for line in part)
    return _png_of(grey.shape[1], grey.shape[0], 0, lines, interlace=1)


def _png_of(width: int, height: int, colours: int, lines: bytes, interlace: int = 0) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, colours, 0, 0, interlace))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
