"""Readers of image files: what a reader of a file format must give."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt

from s2s2.core.types import RawPixels

Palette = npt.NDArray[np.uint8]
"""Colours of a palette file, shape (entry, 3)."""


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
        palette: Colours of a palette file, else None.
    """

    pixels: RawPixels
    palette: Palette | None = None


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


def is_grey(colours: RawPixels) -> bool:
    """Whether all colours (..., channel) have equal channels."""
    return bool((colours == colours[..., :1]).all())
