"""TIFF files of a stack: one file per case, one page per copy, each page readable alone.

Pages are planar, one strip a channel, compressed by Zstandard after the horizontal
predictor: what libtiff (from 4.0.10, so Pillow, GDAL, QGIS, GIMP), tifffile (so
scikit-image and napari) and Bio-Formats read. Deflate, which older viewers read
too, takes half as long again to decode.
"""

from __future__ import annotations

import io
import json
import logging
import os
import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import imagecodecs
import numpy as np
import tifffile
import zstandard

from s2s2.core.types import Indices, RawPixels

Compression = Literal["zstd", "deflate"]

# After the predictor few long matches are left. A small hash table finds those worth having and
# leaves the rest to the entropy coder: 3 % smaller and a third faster to decode than level 1 as it is.
_ZSTD = zstandard.ZstdCompressionParameters.from_level(1, hash_log=6)
_DECODERS: dict[int, Callable[..., Any]] = {
    50000: imagecodecs.zstd_decode,
    8: imagecodecs.deflate_decode,
}
_HORIZONTAL = 2
_SEPARATE = 2
_BIG = 2**32 - 2**25

CORRUPT = (
    OSError,
    RuntimeError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    struct.error,
    tifffile.TiffFileError,
)
"""What reading a corrupt file may raise."""


def encode(copies: RawPixels, note: Mapping[str, Any], *, compression: Compression = "zstd") -> bytes:
    """Return the TIFF file of these copies; the same copies give the same bytes.

    Args:
        copies: Shape (copy, channel, height, width), 8 or 16 bit.
        note: Written as JSON into the description of the first page.
        compression: "zstd", or "deflate" for viewers that do not know it.
    """
    file = io.BytesIO()
    channels, height, width = copies.shape[1:]
    with tifffile.TiffWriter(file, byteorder="<", bigtiff=copies.nbytes > _BIG) as writer:
        for number, copy in enumerate(copies):
            writer.write(
                _strips(copy, compression),
                shape=(channels, height, width) if channels > 1 else (height, width),
                dtype=copies.dtype,
                photometric="rgb" if channels == 3 else "minisblack",
                planarconfig="separate" if channels > 1 else None,
                compression="adobe_deflate" if compression == "deflate" else "zstd",
                predictor=True,
                rowsperstrip=height,
                description=None if number else json.dumps(note),
                metadata=None,
                software=False,
                contiguous=False,
            )
    return file.getvalue()


def _strips(copy: RawPixels, compression: Compression) -> Iterator[bytes]:
    """Yield each channel after the horizontal predictor, compressed."""
    for channel in copy:
        little = np.ascontiguousarray(channel, channel.dtype.newbyteorder("<"))
        plain = imagecodecs.delta_encode(little, axis=-1).tobytes()
        if compression == "deflate":
            yield bytes(imagecodecs.deflate_encode(plain, level=6))
        else:
            yield zstandard.ZstdCompressor(compression_params=_ZSTD).compress(plain)


@dataclass(frozen=True, slots=True)
class Index:
    """Where the pages of a file lie, so that one is read without the others.

    Args:
        state: Size, time and inode of the file when it was read; see `state_of`.
        note: Description of the first page, {} where it is not JSON.
        shape: Channel, height and width of a page.
        dtype: uint8 or uint16, of either byte order.
        decoder: What undoes the compression of a strip, or None where a page must be
            left to tifffile.
        strips: Offset and length in bytes, shape (page, strip, 2).
    """

    state: tuple[int, int, int]
    note: dict[str, Any]
    shape: tuple[int, int, int]
    dtype: np.dtype[Any]
    decoder: Callable[..., Any] | None
    strips: Indices

    @property
    def depth(self) -> int:
        """Number of pages."""
        return len(self.strips)


def read_index(path: Path) -> Index:
    """Read where the pages lie, and no pixel.

    Raises:
        One of `CORRUPT`: If the file is corrupt.
    """
    with _quiet(), tifffile.TiffFile(path) as file:
        state = state_of(file.filehandle.fileno())
        file.pages.useframes = True
        pages = list(file.pages)
        first: Any = pages[0]
        strips = np.array(
            [list(zip(page.dataoffsets, page.databytecounts, strict=True)) for page in pages], np.intp
        )
        if (strips.sum(axis=-1) > state[0]).any():
            raise ValueError("the file ends before its last strip")
        shape, plain = _layout(first)
        return Index(state, _note(first.description), shape, first.dtype, plain, strips)


def _layout(page: Any) -> tuple[tuple[int, int, int], Callable[..., Any] | None]:
    """Return (channel, height, width) and the decoder, None for a layout that `encode` does not write."""
    channels = page.samplesperpixel
    planar = channels == 1 or page.planarconfig == _SEPARATE
    whole = page.rowsperstrip >= page.imagelength and len(page.dataoffsets) == channels and not page.is_tiled
    ours = planar and whole and page.predictor == _HORIZONTAL and page.parent.byteorder == "<"
    return (channels, page.imagelength, page.imagewidth), _DECODERS.get(page.compression) if ours else None


def _note(description: str) -> dict[str, Any]:
    try:
        note = json.loads(description)
    except ValueError:
        return {}
    return note if isinstance(note, dict) else {}


def read_page(path: Path, index: Index, number: int) -> RawPixels | None:
    """Read one page and nothing else of the file.

    Returns:
        Shape (channel, height, width), or None when the file has been replaced since
        the index was read.

    Raises:
        One of `CORRUPT`: If the page is corrupt.
    """
    strips = index.strips[number]
    start, end = int(strips[:, 0].min()), int(strips.sum(axis=1).max())
    with open(path, "rb", buffering=0) as file:
        if state_of(file.fileno()) != index.state:
            return None
        if index.decoder is None:
            return _other(file, index, number)
        file.seek(start)
        data = file.read(end - start)
    pixels = np.empty(index.shape, index.dtype)
    for channel, (offset, length) in zip(pixels, strips - (start, 0), strict=True):
        plain = channel.reshape(-1).view(np.uint8)
        if len(index.decoder(data[offset : offset + length], out=plain)) != len(plain):
            raise ValueError(f"a strip of page {number} holds fewer pixels than its image")
    decoded: RawPixels = imagecodecs.delta_decode(pixels, axis=-1, out=pixels)
    return decoded


def _other(file: io.FileIO, index: Index, number: int) -> RawPixels:
    """Read a page of another layout, as other programs write it."""
    with _quiet(), tifffile.TiffFile(file) as tiff:
        page = tiff.pages[number]
        pixels = page.asarray(maxworkers=1)
    if pixels.ndim == 3 and pixels.shape == (*index.shape[1:], index.shape[0]):
        pixels = pixels.transpose(2, 0, 1)
    return np.ascontiguousarray(pixels).reshape(index.shape)


def state_of(descriptor: int) -> tuple[int, int, int]:
    """Return size in bytes, time of the last change in ns and inode of an open file."""
    status = os.fstat(descriptor)
    return status.st_size, status.st_mtime_ns, status.st_ino


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep tifffile from logging what is raised and reported anyway."""
    logger = logging.getLogger("tifffile")
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before
