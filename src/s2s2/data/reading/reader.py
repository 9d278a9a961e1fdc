"""Readers of image files: what a reader of a file format must give."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import BinaryIO, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from s2s2.core.types import RawPixels

Palette = npt.NDArray[np.uint8]
"""Colours of a palette file, shape (entry, 3)."""

Palettes = Literal["indices", "colours"]
"""What counts in mask files with a palette: the indices, or the colours that they stand for."""


class Header(NamedTuple):
    """What a file says about its image before the pixels are decoded.

    Args:
        shape: Height and width in pixels, as a viewer shows it.
        channels: Number of channels, without alpha.
        bits: Bits a channel: 1, 8, 16 or 32 (float).
        rotated: Whether an orientation tag turns or mirrors the pixels.
        palette: Whether the pixels are indices into a palette.
    """

    shape: tuple[int, int]
    channels: int
    bits: int
    rotated: bool = False
    palette: bool = False


@dataclass(frozen=True)
class Decoded:
    """The pixels of a file, as they are stored.

    Args:
        pixels: Shape (height, width) or (height, width, channel), without alpha; uint8, uint16 or
            floating point. Of a palette file the indices.
        palette: Colours of a palette file, else None.
        alpha: Opacity of shape (height, width), if the file has any; 0 is transparent.
        orientation: The tag 1 to 8 that says how the pixels are to be turned, as TIFF numbers it.
        bits: Bits a channel.
        lossy: Whether the pixels were compressed as JPEG.
    """

    pixels: RawPixels
    palette: Palette | None = None
    alpha: RawPixels | None = None
    orientation: int = 1
    bits: int = 8
    lossy: bool = False

    def upright(self) -> Decoded:
        """Return the same, turned as its orientation tag says."""
        if self.orientation == 1:
            return self
        alpha = None if self.alpha is None else turned(self.alpha, self.orientation)
        return replace(self, pixels=turned(self.pixels, self.orientation), alpha=alpha, orientation=1)


@dataclass(frozen=True)
class Reader:
    """How files of some formats are recognised and read.

    Args:
        formats: Names of the formats, for messages.
        suffixes: Suffixes that such files are searched for by in folders, in lower case.
        recognises: Whether a file is of these formats, by its first 16 bytes: the content
            decides, not the suffix.
        header: Reads shape, channels and bits of an open file without decoding it.
        decode: Decodes an open file.
    """

    formats: tuple[str, ...]
    suffixes: tuple[str, ...]
    recognises: Callable[[bytes], bool]
    header: Callable[[BinaryIO], Header]
    decode: Callable[[BinaryIO], Decoded]


def turned(pixels: RawPixels, orientation: int) -> RawPixels:
    """Turn stored pixels (height, width, ...) as an orientation tag says, so that they are upright.

    Args:
        pixels: As stored.
        orientation: 1 to 8; TIFF 6.0 specification, page 36.

    Example:
        >>> turned(np.array([[1, 2], [3, 4]]), 6).tolist()
        [[3, 1], [4, 2]]
    """
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return pixels[:, ::-1] if orientation in (2, 3, 6, 7) else pixels


def is_grey(colours: RawPixels) -> bool:
    """Whether all colours (..., channel) have equal channels."""
    return bool((colours == colours[..., :1]).all())
