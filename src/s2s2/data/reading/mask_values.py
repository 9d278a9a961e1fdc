"""Values of mask files: grey levels and colours, counted, and the classes that they can mean."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from s2s2.core.types import RawPixels
from s2s2.data.files import MaskFile, looked_up, read_mask_file
from s2s2.data.reading.reader import Palettes
from s2s2.errors import DataError

Value = int | tuple[int, int, int]
"""A grey level, or a colour (r, g, b) in 0..255."""

Between = Literal["edges", "regions"]
"""Where the levels between black and white lie: on edges, as soft ones do, or in regions, as classes do."""

_BETWEEN = range(32, 224)
_MOST_IN_REGIONS = 0.2
_LEAST_ON_EDGES = 0.8


@dataclass(frozen=True)
class Levels:
    """How many pixels of a mask file have each value, and how the file stores them.

    Args:
        counts: Pixels of each value, in ascending order; of a palette file of each index.
        palette: The colour of each index that occurs, of a palette file.
        grey_palette: Whether the whole palette is grey.
        bits: Bits a channel.
        lossy: Whether the pixels were compressed as JPEG.
        alpha: Whether an alpha channel was dropped.
        between: Where the levels between black and white lie; None where there are none, or it is not clear.
    """

    counts: dict[Value, int]
    palette: dict[Value, Value] | None = None
    grey_palette: bool = False
    bits: int = 8
    lossy: bool = False
    alpha: bool = False
    between: Between | None = None

    @classmethod
    def of(cls, mask: MaskFile) -> Levels:
        """Count the values of a mask file, and keep how it stores them."""
        values = mask.values("indices")
        counted = cls.count(values)
        found = replace(counted, bits=mask.bits, lossy=mask.lossy, alpha=mask.alpha)
        if found.grey and mask.palette is None and found.counts.keys() & set(_BETWEEN):
            found = replace(found, between=_lie(values))
        if mask.palette is None:
            return found
        colours: dict[Value, Value] = {
            index: unpack(int(packed(mask.palette[index])))
            for index in counted.counts
            if isinstance(index, int)
        }
        return replace(found, palette=colours, grey_palette=looked_up(mask.palette, None))

    def read_as(self, palettes: Palettes | None) -> Levels:
        """Return the counts as `MaskFile.values` reads the file, without a palette where it was looked up."""
        if self.palette is None or not (palettes == "colours" or (palettes is None and self.grey_palette)):
            return self
        counts: Counter[Value] = Counter()
        for index, count in self.counts.items():
            counts[self.palette[index]] += count
        return replace(self, counts=dict(counts), palette=None)

    @property
    def grey(self) -> bool:
        """Whether all values are grey levels."""
        return all(isinstance(value, int) for value in self.counts)

    @classmethod
    def count(cls, raw: RawPixels) -> Levels:
        """Count the values of a mask of shape (height, width) or (height, width, 3)."""
        if raw.ndim == 2:
            histogram = np.bincount(raw.ravel())
            return cls({int(value): int(histogram[value]) for value in np.flatnonzero(histogram)})
        found, counts = np.unique(packed(raw), return_counts=True)
        return cls({unpack(int(code)): int(count) for code, count in zip(found, counts, strict=True)})


def packed(colours: RawPixels) -> RawPixels:
    """Return the code 0xrrggbb of each colour of shape (..., 3)."""
    return np.asarray(colours.astype(np.int32) @ np.array([1 << 16, 1 << 8, 1], np.int32))


def unpack(code: int) -> Value:
    """Return the colour of a code 0xrrggbb, or its level if it is grey."""
    red, green, blue = code >> 16, code >> 8 & 255, code & 255
    return red if red == green == blue else (red, green, blue)


def code_of(value: Value, colour: bool) -> int:
    """Return the code of a value in a file of colours or of grey levels; -1 if it cannot occur there."""
    if isinstance(value, tuple):
        return value[0] << 16 | value[1] << 8 | value[2] if colour else -1
    return value * 0x010101 if colour else value


def plain(value: Value) -> Value:
    """Return the grey level of a grey colour, every other value as it is."""
    return unpack(code_of(value, colour=True)) if isinstance(value, tuple) else int(value)


def text_of(value: Value) -> str:
    """Return a value as `parse_value` reads it: a level, or a colour as #rrggbb."""
    return "#{:02x}{:02x}{:02x}".format(*value) if isinstance(value, tuple) else str(value)


def texts_of(values: Sequence[Value]) -> str:
    """Return the values of a class as `parse_values` reads them, levels in a row as a range.

    Example:
        >>> texts_of((0, 2, 3, 4, 5, (255, 0, 0)))
        '0,2-5,#ff0000'
    """
    runs: list[list[Value]] = []
    for value in values:
        last = runs[-1][-1] if runs else None
        if isinstance(value, int) and isinstance(last, int) and value == last + 1:
            runs[-1].append(value)
        else:
            runs.append([value])
    return ",".join(f"{run[0]}-{run[-1]}" if len(run) > 2 else ",".join(map(text_of, run)) for run in runs)


def parse_values(text: str, entry: str) -> tuple[Value, ...]:
    """Read a grey level, a range of grey levels such as 128-255, or a colour as #rrggbb.

    Args:
        text: The value.
        entry: What the user wrote, for the error.

    Raises:
        DataError: If it is none of these.
    """
    if re.fullmatch(r"#[0-9a-fA-F]{6}", text):
        return (unpack(int(text[1:], 16)),)
    if match := re.fullmatch(r"(\d{1,5})(?:-(\d{1,5}))?", text):
        first, last = int(match[1]), int(match[2] or match[1])
        if first <= last <= np.iinfo(np.uint16).max:
            return tuple(range(first, last + 1))
    raise DataError(
        f"A class is given as name=value, got {entry!r}. Values are grey levels (0 to 65535), ranges of "
        "them (128-255) or colours (#rrggbb), apart by commas, as in polyp=1,255."
    )


def value_from_json(value: object) -> Value:
    """Return a value from JSON: a number, or a list of three."""
    if isinstance(value, list | tuple):
        red, green, blue = (int(part) for part in value)
        return red, green, blue
    return int(str(value))


def read_levels(path: Path) -> Levels:
    """Count the values of a mask file.

    Raises:
        DataError: If the file cannot be read.
    """
    return Levels.of(read_mask_file(path))


def looks_soft(levels: Levels) -> bool:
    """Whether grey levels are a black and white mask with blurred or compressed edges.

    They are, if black and white both occur, little lies between, no level between fills a region,
    and the levels either crowd at the two ends (compression), lie too close to be labels (blur), or
    lie on edges.
    """
    counts = {level: count for level, count in levels.counts.items() if isinstance(level, int)}
    if (
        len(counts) != len(levels.counts)
        or len(counts) < 5
        or min(counts) > 15
        or not 240 <= max(counts) <= 255
        or levels.between == "regions"
    ):
        return False
    between = [level for level in counts if level in _BETWEEN]
    if sum(counts[level] for level in between) > 0.2 * sum(counts.values()):
        return False
    near = len(counts) > 8 and int(np.diff(sorted(counts)).min()) <= 2
    return not between or levels.between == "edges" or near


def _lie(grey: RawPixels) -> Between | None:
    """Return where the levels between black and white of a mask (height, width) lie.

    A pixel is on an edge, if one of its eight neighbours is darker and one is brighter; in a region, if
    all are as it is.
    """
    wide = np.pad(grey, 1, mode="edge")
    height, width = grey.shape
    near = [wide[row : row + height, column : column + width] for row in range(3) for column in range(3)]
    lowest, highest = np.minimum.reduce(near), np.maximum.reduce(near)
    between = (grey >= _BETWEEN.start) & (grey < _BETWEEN.stop)
    flat, edge = (lowest == highest)[between], ((lowest < grey) & (grey < highest))[between]
    if flat.mean() > _MOST_IN_REGIONS:
        return "regions"
    return "edges" if edge.mean() >= _LEAST_ON_EDGES else None
