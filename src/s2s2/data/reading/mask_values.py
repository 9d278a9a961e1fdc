"""Values of mask files: grey levels and colours, counted, and the classes that they can mean."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from s2s2.core.types import RawPixels
from s2s2.data.files import read_mask_raw
from s2s2.errors import DataError

Value = int | tuple[int, int, int]
"""A grey level, or a colour (r, g, b) in 0..255."""

_MOST_CLASSES = 64


@dataclass(frozen=True)
class Levels:
    """How many pixels of a mask file have each value, grey level or colour.

    Args:
        counts: Pixels of each value, in ascending order.
    """

    counts: dict[Value, int]

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


def parse_value(text: str, entry: str) -> Value:
    """Read a grey level or a colour as #rrggbb.

    Args:
        text: The value.
        entry: What the user wrote, for the error.

    Raises:
        DataError: If it is neither.
    """
    if re.fullmatch(r"#[0-9a-fA-F]{6}", text):
        return unpack(int(text[1:], 16))
    if re.fullmatch(r"\d{1,5}", text) and int(text) <= np.iinfo(np.uint16).max:
        return int(text)
    raise DataError(
        f"A class is given as name=value, got {entry!r}. Values are grey levels (0 to 65535) "
        "or colours (#rrggbb), apart by commas, as in polyp=1,255."
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
    return Levels.count(read_mask_raw(path))


def looks_soft(levels: Levels) -> bool:
    """Whether grey levels are a black and white mask with blurred or compressed edges.

    They are, if black and white both occur, little lies between, and the levels
    either crowd at the two ends (compression) or lie too close to be labels (blur).
    """
    counts = {level: count for level, count in levels.counts.items() if isinstance(level, int)}
    if (
        len(counts) != len(levels.counts)
        or len(counts) < 5
        or min(counts) > 15
        or not 240 <= max(counts) <= 255
    ):
        return False
    between = [level for level in counts if 32 <= level < 224]
    if sum(counts[level] for level in between) > 0.2 * sum(counts.values()):
        return False
    return not between or (len(counts) > 8 and int(np.diff(sorted(counts)).min()) <= 2)


def infer_values(files: Sequence[Levels]) -> tuple[tuple[tuple[Value, ...], ...], bool]:
    """Infer the values of each class, and whether the masks are soft.

    Args:
        files: The counted values of each mask file.

    Raises:
        DataError: If no mask has a foreground, or there are too many values.
    """
    total: Counter[Value] = Counter()
    for levels in files:
        total.update(levels.counts)
    marked = {value for value in total if value != 0}
    if not marked:
        raise DataError(
            f"No class can be inferred from {len(files)} masks: all of them are blank. "
            "Check that these are the masks, or give a class map."
        )
    both = any({1, 255} <= levels.counts.keys() for levels in files)
    if marked == {1, 255} and not both:
        return ((0,), (1, 255)), False
    if len(marked) == 1 and isinstance(level := next(iter(marked)), int):
        return ((0,), tuple(sorted({1, 255, level}))), False
    if looks_soft(Levels(dict(total))):
        return ((0,), (1, 255)), True
    if len(marked) >= _MOST_CLASSES:
        raise DataError(
            f"The masks hold {len(marked) + 1} values, too many to be classes (at most {_MOST_CLASSES}). "
            "They may be numbered instances, photographs, or colours saved as JPEG: "
            "save label maps without loss, or give a class map."
        )
    ordered = sorted(
        marked, key=lambda value: (isinstance(value, tuple), value if isinstance(value, tuple) else (value,))
    )
    return ((0,), *((value,) for value in ordered)), False
