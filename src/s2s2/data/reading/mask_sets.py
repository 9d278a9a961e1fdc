"""The reading of a whole set of masks: what its values are, decided once and not file by file.

The same number means a palette index in one file and a grey level in another, and JPEG blurs
levels. All files of a set are looked at together; a set that mixes readings is refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from s2s2.data.reading.mask_values import Between, Levels, Value, looks_soft, text_of
from s2s2.data.reading.reader import Palettes
from s2s2.errors import DataError

_MOST_CLASSES = 64
_BINARY: set[Value] = {1, 255}
# JPEG spreads a level by less than this in all but the worst quality.
_SPREAD = 12
_CORE = 4
_WHITES = range(240, 256)
_PEAK_SHARE = 0.001
_STRAY_SHARE = 0.05


class Reading(NamedTuple):
    """What the masks of a set mean.

    Args:
        names: The name of each class.
        values: The values of each class.
        soft: Whether levels between are edges, to be cut at one half.
        palettes: What counts in palette files; None where there is no palette.
    """

    names: tuple[str, ...]
    values: tuple[tuple[Value, ...], ...]
    soft: bool = False
    palettes: Palettes | None = None


def infer_reading(files: Sequence[Levels]) -> Reading:
    """Infer how a set of masks is to be read.

    Args:
        files: The counted values of each mask file.

    Raises:
        DataError: If no mask has a foreground, there are too many values, or files that
            are to be read in different ways cannot be told apart.
    """
    palettes = _palettes(files)
    read = [each.read_as(palettes) for each in files]
    total: Counter[Value] = Counter()
    for levels in read:
        total.update(levels.counts)
    if not set(total) - {0}:
        alpha = " They have an alpha channel, which is dropped." if any(each.alpha for each in files) else ""
        raise DataError(
            f"No class can be inferred from {len(files)} masks: all of them are blank.{alpha} "
            "Check that these are the masks, or give a class map."
        )
    if any(each.lossy for each in read):
        return _lossy(read, total)
    soft = looks_soft(Levels(dict(total), between=_lie(read)))
    if not soft:
        _require_one_reading(read)
    return _exact(read, total, soft)._replace(palettes=palettes)


def _lie(read: Sequence[Levels]) -> Between | None:
    """Return where the levels between black and white of all files lie: one with regions decides."""
    found = {each.between for each in read if len(each.counts) > 2}
    return "regions" if "regions" in found else "edges" if found == {"edges"} else None


def describe(files: Sequence[Levels], palettes: Palettes | None) -> str:
    """Say how many masks are read in which way.

    Example:
        >>> describe([Levels({0: 9, 255: 1}, bits=1), Levels({0: 10})], None)
        '1 as grey levels of 8 bits, 1 as grey levels of 1 bit'
    """
    kinds = Counter(_kind(each.read_as(palettes)) for each in files)
    return ", ".join(f"{kinds[kind]} as {kind}" for kind in sorted(kinds, reverse=True))


def _kind(levels: Levels) -> str:
    """Return how a file is read, in words."""
    if levels.palette is not None:
        kind = "palette indices"
    elif not levels.grey:
        kind = "colours"
    else:
        kind = f"grey levels of {levels.bits} bit{'s' * (levels.bits > 1)}"
    return kind + " of a JPEG" * levels.lossy + " with alpha dropped" * levels.alpha


def _palettes(files: Sequence[Levels]) -> Palettes | None:
    """Decide what counts in the palette files of a set.

    Indices do where each stands for one colour in the whole set; colours do beside files in
    colours, and where all are grey.

    Raises:
        DataError: If an index stands for several colours, or black is not the first.
    """
    pairs = {pair for each in files if each.palette for pair in each.palette.items()}
    if not pairs:
        return None
    colours, indices = {colour for _, colour in pairs}, {index for index, _ in pairs}
    in_colours = any(not each.grey for each in files if each.palette is None)
    if in_colours or all(isinstance(colour, int) for colour in colours):
        return "colours"
    black = sorted(index for index, colour in pairs if colour == 0 and isinstance(index, int) and index > 0)
    if len(pairs) == len(indices) and black:
        raise DataError(
            f"The palettes of the masks show index {black[0]} as black, and index 0 is the background. Say "
            f"what counts: the colours with {_line(colours)}, or the indices with {_line(indices)}."
        )
    if len(pairs) == len(indices):
        return "indices"
    raise DataError(
        f"The palettes of the masks differ from file to file: {len(indices)} indices stand for "
        f"{len(colours)} colours. Say what counts: the colours with {_line(colours)}, "
        f"or the indices with {_line(indices)}."
    )


def _require_one_reading(read: Sequence[Levels]) -> None:
    """Refuse files whose values lie on different scales.

    Raises:
        DataError: If two kinds of files hold values of which neither knows the other's.
    """
    marked: dict[str, set[Value]] = {}
    for levels in read:
        deep = levels.bits == 16 and max((v for v in levels.counts if isinstance(v, int)), default=0) > 255
        kind = _kind(levels) if levels.palette is not None or levels.bits == 1 or deep else "8 bits"
        if kind == "8 bits" or "colours" in kind:
            kind = "colours" if not levels.grey else "grey levels of 8 bits"
        if found := levels.counts.keys() - {0}:
            marked.setdefault(kind, set()).update(found)
    kinds = sorted(marked.items(), key=lambda item: len(item[1]))
    for number, (kind, values) in enumerate(kinds):
        for other, known in kinds[number + 1 :]:
            if not values <= known and not values | known <= _BINARY:
                raise DataError(
                    f"The masks mix readings: {kind} ({_few(values)}) and {other} ({_few(known)}). Save all "
                    f"in one way, or say which values are one class with {_line(values | known)}, as in "
                    "polyp=1,255."
                )


def _few(values: set[Value]) -> str:
    listed = _ordered(values)
    return ", ".join(map(text_of, listed[:4])) + ", ..." * (len(listed) > 4)


def _line(values: set[Value]) -> str:
    """Return the option that names these values, as an example."""
    listed = [value for value in _ordered(values) if value != 0]
    named = [f"class_{number}={text_of(value)}" for number, value in enumerate(listed[:3], start=1)]
    quoted = [f"'{each}'" if "#" in each else each for each in named]
    return " ".join(["`--classes background=0", *quoted, *["..."] * (len(listed) > 3)]) + "`"


def _ordered(values: set[Value]) -> list[Value]:
    return sorted(
        values, key=lambda each: (isinstance(each, tuple), each if isinstance(each, tuple) else (each,))
    )


def _exact(read: Sequence[Levels], total: Mapping[Value, int], soft: bool) -> Reading:
    marked = set(total) - {0}
    both = any(levels.counts.keys() >= _BINARY for levels in read)
    foreground = ("background", "foreground")
    if soft or (marked == _BINARY and not both):
        return Reading(foreground, ((0,), (1, 255)), soft)
    if len(marked) == 1 and isinstance(level := next(iter(marked)), int):
        return Reading(foreground, ((0,), tuple(sorted({1, 255, level}))))
    if all(value in _WHITES for value in marked):
        one = ",".join(map(text_of, _ordered(marked)))
        raise DataError(
            f"The masks hold several whites ({_few(marked)}), which may be one class or several. Say which: "
            f"`--classes background=0 foreground={one}`, or {_line(marked)}."
        )
    if len(marked) >= _MOST_CLASSES:
        raise DataError(
            f"The masks hold {len(marked) + 1} values, too many to be classes (at most {_MOST_CLASSES}). "
            "They may be numbered instances, photographs, or colours saved as JPEG: "
            "save label maps without loss, or give a class map."
        )
    ordered = _ordered(marked)
    return Reading(("background", *map(_name, ordered)), ((0,), *((value,) for value in ordered)))


def _name(value: Value) -> str:
    return f"class_{text_of(value).removeprefix('#')}"


def _lossy(read: Sequence[Levels], total: Mapping[Value, int]) -> Reading:
    """Find the levels that JPEG has blurred: each takes what lies nearest to it."""
    counts = {level: count for level, count in total.items() if isinstance(level, int)}
    peaks = _peaks(counts)
    strays = sum(count for level, count in counts.items() if min(abs(level - p) for p in peaks) > 2 * _SPREAD)
    known = {0, *peaks} | (_BINARY if _is_white(peaks) else set())
    crisp = [each for each in read if not each.lossy and not looks_soft(each)]
    foreign = {value for each in crisp for value in each.counts} - known
    near = any(b - a <= 2 * _SPREAD for a, b in pairwise(peaks))
    if len(counts) < len(total) or len(peaks) < 2 or near or strays > _STRAY_SHARE * sum(counts.values()):
        raise DataError(
            f"Masks are saved as JPEG, which has changed their values: {len(total)} occur and no clear "
            "levels among them. Save them without loss (PNG), or give each class its range of levels, "
            "as in `--classes background=0-127 polyp=128-255`."
        )
    if foreign:
        raise DataError(
            f"The masks mix readings: JPEG with the levels {', '.join(map(str, peaks))}, and other files "
            f"with {_few(foreign)}. Save all in one way, or give each class its values, "
            "as in `--classes background=0,2-127 polyp=1,128-255`."
        )
    if _is_white(peaks):
        return Reading(("background", "foreground"), ((0,), (1, 255)), soft=True)
    bounds = [0, *((a + b) // 2 + 1 for a, b in pairwise(peaks)), 256]
    values = tuple(tuple(range(a, b)) for a, b in pairwise(bounds))
    names = ("foreground",) if len(peaks) == 2 else tuple(map(_name, peaks[1:]))
    return Reading(("background", *names), values)


def _is_white(peaks: Sequence[int]) -> bool:
    return len(peaks) == 2 and peaks[0] <= 15 and peaks[1] >= 240


def _peaks(counts: Mapping[int, int]) -> list[int]:
    """Return the levels about which more pixels lie than in their surroundings, in ascending order."""

    def mass(level: int, reach: int) -> int:
        return sum(counts.get(level + step, 0) for step in range(-reach, reach + 1))

    least = _PEAK_SHARE * sum(counts.values())
    found: list[int] = []
    for level in sorted(counts, key=lambda each: (-mass(each, _CORE), -counts[each])):
        core = mass(level, _CORE)
        apart = all(abs(level - peak) > _SPREAD for peak in found)
        if core >= least and 2 * core > mass(level, _SPREAD) and apart:
            around = [each for each in counts if abs(each - level) <= _CORE]
            found.append(max(around, key=lambda each: counts[each]))
    return sorted(found) or [0]
