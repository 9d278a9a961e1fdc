"""Image and mask files, read as arrays."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, TypeVar

import numpy as np
from PIL.Image import DecompressionBombError

from s2s2.core.types import Image, RawPixels
from s2s2.data.grid import to_unit
from s2s2.data.reading.gif import GIF
from s2s2.data.reading.png_jpeg_bmp import PNG_JPEG_BMP
from s2s2.data.reading.reader import Decoded, Header, Palette, Palettes, Reader, is_grey
from s2s2.data.reading.tiff import TIFF
from s2s2.errors import DataError

READERS = (PNG_JPEG_BMP, TIFF, GIF)
"""The readers of all formats; a new one is one file and one entry here."""

SUFFIXES = tuple(suffix for reader in READERS for suffix in reader.suffixes)
"""Suffixes that images are searched for by in folders, in lower case."""

_FORMATS = [name for reader in READERS for name in reader.formats]
_LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)

Item = TypeVar("Item")
Result = TypeVar("Result")


def image_header(path: str | Path) -> Header:
    """Read shape, channels and bits of an image file without decoding it.

    Raises:
        DataError: If the file is missing, corrupt or of another format.
    """
    with _opened(path) as (file, reader):
        return reader.header(file)


def read_image(path: str | Path, channels: int | None = None) -> Image:
    """Read an image with its values in [0, 1].

    Integers are divided by the largest value of their type (255 or 65535). Alpha
    is dropped, palette indices become colours, and an orientation tag is applied in
    every format, so that the image is upright as in a viewer.

    Args:
        path: A PNG, JPEG, TIFF or BMP file of 8 or 16 bits, or a float TIFF in [0, 1].
        channels: Number of channels to return: grey is repeated, RGB becomes
            luminance (1). None returns what the file has.

    Returns:
        Shape (channel, height, width).

    Raises:
        DataError: If the file cannot be read, or has other channels.
    """
    return to_unit(read_image_raw(path, channels))


def read_image_raw(path: str | Path, channels: int | None = None) -> RawPixels:
    """Read an image like `read_image`, as uint8 or uint16 of shape (channel, height, width)."""
    decoded = _decode(path)
    pixels = _resolve_palette(decoded)
    if np.issubdtype(pixels.dtype, np.floating):
        pixels = _quantised(pixels, path)
    if pixels.dtype not in (np.uint8, np.uint16):
        raise DataError(
            f"{path} holds pixels of type {pixels.dtype}, expected uint8, uint16 or float in 0..1. "
            "Scale it to 16 bits and save it again."
        )
    planes = pixels[None] if pixels.ndim == 2 else np.moveaxis(pixels, -1, 0)
    # Pillow's arrays are read-only, which PyTorch warns of.
    return np.require(with_channels(planes, channels, path), requirements=["C", "W"])


def joined_header(paths: Sequence[Path]) -> Header:
    """Read the headers of the files whose channels are one image.

    Raises:
        DataError: As `image_header`, or if their sizes differ.
    """
    headers = [image_header(path) for path in paths]
    for path, each in zip(paths, headers, strict=True):
        _require_size(path, each.shape, paths[0], headers[0].shape)
    return headers[0]._replace(channels=sum(each.channels for each in headers))


def read_joined_raw(paths: Sequence[Path], channels: int | None = None) -> RawPixels:
    """Read the files whose channels are one image, as `read_image_raw`; several are not converted.

    Raises:
        DataError: As `read_image_raw`, or if sizes or types of pixels differ.
    """
    if len(paths) == 1:
        return read_image_raw(paths[0], channels)
    parts = [read_image_raw(path) for path in paths]
    for path, part in zip(paths, parts, strict=True):
        _require_size(path, part.shape[1:], paths[0], parts[0].shape[1:])
    if len({part.dtype for part in parts}) > 1:
        parts = [part if part.dtype == np.uint16 else part.astype(np.uint16) * 257 for part in parts]
    joined = np.concatenate(parts)
    if channels not in (None, len(joined)):
        raise DataError(
            f"{paths[0]} and {len(paths) - 1} more files have {len(joined)} channels together, "
            f"expected {channels}. Give images of one kind."
        )
    return joined


def _require_size(path: Path, size: tuple[int, ...], first: Path, expected: tuple[int, ...]) -> None:
    if size != expected:
        raise DataError(
            f"{path} is {size[0]} x {size[1]} pixels (height x width), {first} {expected[0]} x "
            f"{expected[1]}. Files whose channels are one image must have one size: export them again."
        )


@dataclass(frozen=True)
class MaskFile:
    """The values of a mask file, without a meaning.

    Args:
        pixels: Grey levels (height, width), uint8 or uint16; of a file in colours (height, width, 3),
            uint8; of a palette file the indices.
        palette: Colours (entry, 3) of a palette file, else None.
        bits: Bits a channel.
        lossy: Whether the pixels were compressed as JPEG.
        alpha: Whether an alpha channel was dropped.
    """

    pixels: RawPixels
    palette: Palette | None = None
    bits: int = 8
    lossy: bool = False
    alpha: bool = False

    def values(self, palettes: Palettes | None = None) -> RawPixels:
        """Return grey levels (height, width) or, where there are any, colours (height, width, 3).

        Args:
            palettes: Whether the indices of a palette file are its values, or the colours that they
                stand for; None: indices, unless the whole palette is grey.
        """
        pixels = self.pixels
        if self.palette is not None and looked_up(self.palette, palettes):
            pixels = self.palette[pixels]
        if pixels.ndim == 3 and is_grey(pixels):
            pixels = pixels[..., 0]
        return np.ascontiguousarray(pixels)


def looked_up(palette: Palette, palettes: Palettes | None) -> bool:
    """Whether the colours of this palette count, not the indices."""
    return is_grey(palette) if palettes is None else palettes == "colours"


def read_mask_raw(path: str | Path, palettes: Palettes | None = None) -> RawPixels:
    """Read the values of a mask file, as `MaskFile.values` gives them; one bit gives 0 and 255.

    Raises:
        DataError: If the file cannot be read or is no mask.
    """
    return read_mask_file(path).values(palettes)


def read_mask_file(path: str | Path) -> MaskFile:
    """Read a mask file, without giving its values a meaning.

    Raises:
        DataError: If the file cannot be read or is no mask.
    """
    decoded = _decode(path)
    pixels = decoded.pixels
    if pixels.dtype not in (np.uint8, np.uint16):
        pixels = _whole_numbers(pixels, path)
    if pixels.ndim == 3 and is_grey(pixels) and pixels.dtype != np.uint8:
        pixels = pixels[..., 0]
    if pixels.ndim == 3 and (pixels.shape[2] != 3 or pixels.dtype != np.uint8):
        raise DataError(
            f"{path} has {pixels.shape[2]} channels of type {pixels.dtype}, which is no mask. "
            "Expected grey levels or 8-bit RGB colours, one value a class."
        )
    if decoded.alpha is not None and _is_constant(pixels) and not _is_constant(decoded.alpha):
        raise DataError(
            f"{path} has one colour everywhere, and its shapes are in the alpha channel, which is dropped. "
            "Expected grey levels or colours, one value a class: save the mask without a transparent layer."
        )
    return MaskFile(pixels, decoded.palette, decoded.bits, decoded.lossy, decoded.alpha is not None)


def _is_constant(pixels: RawPixels) -> bool:
    return bool((pixels == pixels[:1, :1]).all())


def with_channels(planes: RawPixels, channels: int | None, source: str | Path) -> RawPixels:
    """Return an image of shape (channel, height, width) with this many channels.

    Raises:
        DataError: If it is neither grey nor RGB and has another number.
    """
    have = planes.shape[0]
    if channels is None or channels == have:
        return planes
    if have == 1 and channels == 3:
        return np.repeat(planes, channels, axis=0)
    if have == 3 and channels == 1:
        grey = np.rint(np.tensordot(_LUMINANCE, planes, axes=1)).astype(planes.dtype)
        return np.asarray(grey[None])
    raise DataError(
        f"{source} has {have} channel{'s' * (have > 1)}, expected {channels}. "
        "Only grey (1) and RGB (3) turn into each other: give images of one kind, or other channels."
    )


def in_threads(function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
    """Call a function on each item in a few threads, results in the items' order.

    Decoders leave Python's lock alone while they work, so threads are enough.
    """
    with ThreadPoolExecutor(max_workers=min(8, (os.cpu_count() or 1) + 1)) as pool:
        # In chunks: a pool takes everything at once and would keep all results waiting.
        for start in range(0, len(items), 256):
            yield from pool.map(function, items[start : start + 256])


def _decode(path: str | Path) -> Decoded:
    with _opened(path) as (file, reader):
        decoded = reader.decode(file).upright()
    if decoded.pixels.dtype == np.float16:  # whose numbers end at 65504, below what 16 bits hold
        decoded = replace(decoded, pixels=decoded.pixels.astype(np.float32))
    return decoded


@contextmanager
def _opened(path: str | Path) -> Iterator[tuple[BinaryIO, Reader]]:
    """Open a file, and choose the reader that recognises its first bytes."""
    try:
        if os.path.exists(path) and not os.path.isfile(path):
            raise ValueError("it is a folder, a pipe or a device")
        with open(path, "rb") as file:
            start = file.read(16)
            file.seek(0)
            reader = next((reader for reader in READERS if reader.recognises(start)), None)
            if reader is None:
                raise ValueError("its content is of no known format")
            yield file, reader
    except Exception as error:  # decoders of corrupt files raise errors of any class
        raise _unreadable(path, error) from error


def _unreadable(path: str | Path, error: Exception) -> DataError:
    if isinstance(error, DataError):
        return DataError(f"{path} cannot be read: {error}")
    if isinstance(error, FileNotFoundError):
        return DataError(f"There is no file {path}. Check the path, or the list that names it.")
    if isinstance(error, DecompressionBombError):
        return DataError(f"{path} is too large to be read as one image ({error}). Cut it into tiles.")
    cause = str(error).replace(str(path), "the file").split("<_io")[0].strip() or type(error).__name__
    return DataError(
        f"{path} cannot be read as an image ({cause}). Expected a whole {', '.join(_FORMATS[:-1])} or "
        f"{_FORMATS[-1]} file: copy it again, or take the case out."
    )


def _resolve_palette(decoded: Decoded) -> RawPixels:
    if decoded.palette is None:
        return decoded.pixels
    palette = decoded.palette[:, 0] if is_grey(decoded.palette) else decoded.palette
    return np.asarray(palette[decoded.pixels])


def _quantised(pixels: RawPixels, path: str | Path) -> RawPixels:
    low, high = float(pixels.min()), float(pixels.max())
    if not (low >= 0 and high <= 1):
        raise DataError(
            f"{path} holds floating point values from {low:g} to {high:g}, expected 0 to 1. "
            "Divide by the largest possible value and save it again."
        )
    return np.asarray(np.rint(pixels * 65535), np.uint16)


def _whole_numbers(pixels: RawPixels, path: str | Path) -> RawPixels:
    is_real = not np.iscomplexobj(pixels)
    if is_real and pixels.size and 0 <= pixels.min() <= pixels.max() <= np.iinfo(np.uint16).max:
        whole: RawPixels = pixels.astype(np.uint16)
        if bool((whole == pixels).all()):
            return whole
    raise DataError(
        f"{path} holds values of type {pixels.dtype} that are no class ids. "
        "Expected whole numbers from 0 to 65535, one value a class."
    )
