"""Image and mask files as arrays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from s2s2.data.geometry import resize_image
from s2s2.data.reading.decoding import Decoded, Header, decode, header
from s2s2.errors import DataError

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")
"""Suffixes of the files that are looked for in folders, in lower case."""

_LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)


def image_header(path: str | Path) -> Header:
    """Read shape, channels and bits of an image file without decoding it.

    Args:
        path: A PNG, JPEG, TIFF or BMP file.

    Returns:
        `Header` (shape, channels, bits, rotated).

    Raises:
        DataError: If the file is missing, torn or of another kind.
    """
    return header(path)


def read_image(path: str | Path, channels: int | None = None) -> npt.NDArray[np.float32]:
    """Read an image with its values in [0, 1].

    Integers are divided by the largest value of their type (255 or 65535). Alpha
    is dropped, a palette is looked up, and a camera's orientation tag is applied,
    so that the pixels lie as viewers show them.

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


def read_image_raw(path: str | Path, channels: int | None = None) -> npt.NDArray[Any]:
    """Read an image like `read_image`, as uint8 or uint16 of shape (channel, height, width)."""
    decoded = decode(path)
    pixels = _looked_up(decoded)
    if np.issubdtype(pixels.dtype, np.floating):
        pixels = _quantised(pixels, path)
    if pixels.dtype not in (np.uint8, np.uint16):
        raise DataError(
            f"{path} holds pixels of type {pixels.dtype}, expected uint8, uint16 or float in 0..1. "
            "Scale it to 16 bits and save it again."
        )
    planes = pixels[None] if pixels.ndim == 2 else np.moveaxis(pixels, -1, 0)
    # Pillow hands out arrays that cannot be written to, which PyTorch does not like.
    return np.require(with_channels(planes, channels, path), requirements=["C", "W"])


def read_mask_raw(path: str | Path) -> npt.NDArray[Any]:
    """Read the values of a mask file, without giving them a meaning.

    A mask of one bit has the values 0 and 255. A palette of greys is looked up; of
    a palette with colours the indices are the values, as label tools write them.

    Returns:
        Grey levels (height, width), uint8 or uint16; or, where a file has colours,
        (height, width, 3), uint8.

    Raises:
        DataError: If the file cannot be read or is no mask.
    """
    return read_mask_and_palette(path)[0]


def read_mask_and_palette(path: str | Path) -> tuple[npt.NDArray[Any], npt.NDArray[np.uint8] | None]:
    """Read a mask like `read_mask_raw`, with the colours (entry, 3) of its palette, if it has any."""
    decoded = decode(path)
    pixels, palette = decoded.pixels, decoded.palette
    if palette is not None:
        used = palette[: int(pixels.max(initial=0)) + 1]
        if bool((used == used[:, :1]).all()):
            pixels, palette = palette[:, 0][pixels], None
    if pixels.ndim == 3 and bool((pixels == pixels[..., :1]).all()):
        pixels = pixels[..., 0]
    if pixels.dtype not in (np.uint8, np.uint16):
        pixels = _whole_numbers(pixels, path)
    if pixels.ndim == 3 and (pixels.shape[2] != 3 or pixels.dtype != np.uint8):
        raise DataError(
            f"{path} has {pixels.shape[2]} channels of type {pixels.dtype}, which is no mask. "
            "Expected grey levels or 8-bit RGB colours, one value a class."
        )
    return np.ascontiguousarray(pixels), palette


def to_unit(pixels: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Scale uint8 or uint16 pixels to float32 in [0, 1]."""
    scaled = pixels.astype(np.float32)
    scaled /= np.float32(np.iinfo(pixels.dtype).max)
    return scaled


def resize_pixels(pixels: npt.NDArray[Any], shape: tuple[int, int]) -> npt.NDArray[Any]:
    """Resample uint8 or uint16 pixels (channel, height, width), bilinear, antialiased.

    The type is kept. Of uint8 the resampling itself is done in whole numbers, which
    is several times faster and at most one level off.
    """
    if pixels.shape[1:] == shape:
        return pixels
    if pixels.dtype == np.uint8:
        batch = torch.from_numpy(np.ascontiguousarray(pixels))[None]
        resized = functional.interpolate(batch, shape, mode="bilinear", antialias=True, align_corners=False)
        return resized[0].contiguous().numpy()
    top = np.iinfo(pixels.dtype).max
    return np.rint(resize_image(to_unit(pixels), shape) * top).astype(pixels.dtype)


def with_channels(planes: npt.NDArray[Any], channels: int | None, source: str | Path) -> npt.NDArray[Any]:
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
        grey = np.tensordot(_LUMINANCE, planes, axes=1)
        return np.rint(grey).astype(planes.dtype)[None]
    raise DataError(
        f"{source} has {have} channel{'s' * (have > 1)}, expected {channels}. "
        "Only grey (1) and RGB (3) turn into each other: give images of one kind, or other channels."
    )


def _looked_up(decoded: Decoded) -> npt.NDArray[Any]:
    if decoded.palette is None:
        return decoded.pixels
    if bool((decoded.palette == decoded.palette[:, :1]).all()):
        grey: npt.NDArray[Any] = decoded.palette[:, 0][decoded.pixels]
        return grey
    colours: npt.NDArray[Any] = decoded.palette[decoded.pixels]
    return colours


def _quantised(pixels: npt.NDArray[Any], path: str | Path) -> npt.NDArray[np.uint16]:
    low, high = float(pixels.min()), float(pixels.max())
    if not (low >= 0 and high <= 1):
        raise DataError(
            f"{path} holds floating point values from {low:g} to {high:g}, expected 0 to 1. "
            "Divide by the largest possible value and save it again."
        )
    return np.asarray(np.rint(pixels * 65535), np.uint16)


def _whole_numbers(pixels: npt.NDArray[Any], path: str | Path) -> npt.NDArray[np.uint16]:
    if pixels.size and 0 <= pixels.min() <= pixels.max() <= np.iinfo(np.uint16).max:
        whole: npt.NDArray[np.uint16] = pixels.astype(np.uint16)
        if bool((whole == pixels).all()):
            return whole
    raise DataError(
        f"{path} holds values of type {pixels.dtype} that are no class ids. "
        "Expected whole numbers from 0 to 65535, one value a class."
    )
