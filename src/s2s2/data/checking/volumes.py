"""Rules of the data check for volumes: spacing, orientation, intensities, grids that differ within a set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from s2s2.data.problems import Problem
from s2s2.data.reading.layouts import Found
from s2s2.data.volumes.cutting import Facts
from s2s2.errors import listed

_FAR = 5.0
"""How many times the usual spacing is likely a mistake of units; scanners differ by less."""
_AIR = -500.0


def volume_problems(found: Found) -> Iterator[Problem]:
    """Report what is wrong with the volumes of a data set.

    Args:
        found: The layout, with what was found of each volume.
    """
    for name, message in found.cut.skipped.items():
        yield Problem("error", "unreadable-volume", name, message)
    if found.cut.facts:
        for rule in RULES:
            yield from rule(found.cut.facts, str(found.root))


def volume_summary(found: Found) -> dict[str, Any] | None:
    """Return the volumes in numbers, for `CheckReport`; None where there are none."""
    if not found.cut.facts:
        return None
    facts = list(found.cut.facts.values())
    first = next(case for volume in found.cut.volumes.values() for case in volume.cases)
    folder = first.image_path.parent.parent
    used = {case.image_path.parent for volume in found.cut.volumes.values() for case in volume.cases}
    used |= {
        case.mask_path.parent
        for volume in found.cut.volumes.values()
        for case in volume.cases
        if case.mask_path
    }
    size = sum(file.stat().st_size for each in used for file in each.iterdir())
    return {
        "count": len(facts),
        "plane": _counted(each.grid.slicing.plane for each in facts),
        "intensities": _intensities(facts),
        "spacing": _spacings(facts),
        "cache": f"{size / 2**20:.0f} MB of slices in {folder}",
    }


def _spacings(facts: list[Facts]) -> str:
    known = np.array([each.spacing_mm for each in facts if each.spacing_mm is not None])
    if not len(known):
        return "not in the files; distances are in pixels"
    low, high = known.min(0), known.max(0)
    parts = (f"{a:.3g}" if a == b else f"{a:.3g} to {b:.3g}" for a, b in zip(low, high, strict=True))
    return " x ".join(parts) + " mm (slices, rows, columns)"


def _intensities(facts: list[Facts]) -> str:
    """Say what is done to the values of each channel."""
    said = []
    for channel in zip(*(each.scalings for each in facts), strict=False):
        kinds = Counter(each.kind for each in channel)
        for kind, count in kinds.most_common():
            some = [each for each in channel if each.kind == kind]
            how = {
                "window": f"clipped to {str(some[0])[len(kind) + 1 :]}",
                "prepared": "in 0..1 already, left as they are",
            }.get(kind, f"each volume scaled by its own {kind}")
            said.append(f"{how} ({count})")
    return "; ".join(said)


def _counted(values: Iterator[str] | Any) -> str:
    return ", ".join(f"{value} ({count})" for value, count in Counter(values).most_common())


def _spacing(facts: Mapping[str, Facts], _root: str) -> Iterator[Problem]:
    known = {name: each.spacing_mm for name, each in facts.items() if each.spacing_mm is not None}
    if not known:
        return
    spacings = {name: np.array(each) for name, each in known.items()}
    usual = np.median(np.array(list(spacings.values())), axis=0)
    for name, spacing in spacings.items():
        factor = float(np.maximum(spacing / usual, usual / spacing).max())
        if factor >= _FAR:
            ours, theirs = (" x ".join(f"{each:.3g}" for each in some) for some in (spacing, usual))
            message = (
                f"its spacing is {ours} mm, that of most volumes {theirs} mm, {factor:.3g} times apart. A "
                "header in other units, or without the spacing, is likely: correct it from the source."
            )
            yield Problem("warning", "spacing-differs", name, message)


def _orientation(facts: Mapping[str, Facts], root: str) -> Iterator[Problem]:
    counts = Counter(each.codes for each in facts.values())
    if len(counts) > 1:
        codes = ", ".join(f"{code} ({count})" for code, count in counts.most_common())
        message = (
            f"the volumes are stored in several orientations: {codes}. They are turned to one by their "
            "affines. Look at one of each in a viewer: if it lies right there, all is well."
        )
        yield Problem("warning", "orientation-differs", root, message)
    planes = Counter(each.grid.slicing.plane for each in facts.values())
    if len(planes) > 1:
        found = ", ".join(f"{plane} ({count})" for plane, count in planes.most_common())
        message = (
            f"the volumes are cut in several planes: {found}, each across its coarsest spacing. "
            "Where that is not meant, give one with --volumes.axis."
        )
        yield Problem("warning", "planes-differ", root, message)


def _unoriented(facts: Mapping[str, Facts], root: str) -> Iterator[Problem]:
    if bare := [name for name, each in facts.items() if each.bare]:
        message = (
            f"arrays say neither how they lie in the patient nor how large a voxel is: {listed(bare)}. "
            "Distances are measured in pixels; where mm are needed, convert the volumes from their source."
        )
        yield Problem("warning", "no-orientation", root, message)
    for name, each in facts.items():
        if not each.oriented and not each.bare:
            message = (
                "the file does not say how its axes lie in the patient, so left and right may be swapped. "
                "Convert it from its source again."
            )
            yield Problem("warning", "no-orientation", name, message)
        if not each.orthonormal:
            message = (
                "the axes of its affine are not at right angles (a tilted gantry, or a registration). "
                "Slices are cut along the stored axes, and distances are those of right angles: resample it."
            )
            yield Problem("warning", "not-orthonormal", name, message)


def _values(facts: Mapping[str, Facts], root: str) -> Iterator[Problem]:
    """Report CT beside other values, as of volumes in HU beside others that were scaled."""
    number = max(len(each.kinds) for each in facts.values())
    for channel in range(number):
        of = {name: each for name, each in facts.items() if channel < len(each.kinds)}
        deep = [name for name, each in of.items() if each.lows[channel] <= _AIR]
        other = [name for name in of if name not in set(deep)]
        if deep and other:
            fewer, level = min(
                (deep, "from air at about -1000 HU"), (other, "no values below -500"), key=_count
            )
            message = (
                f"{len(deep)} volumes hold values of HU and {len(other)} others do not: {listed(fewer)} "
                f"{'has' if len(fewer) == 1 else 'have'} {level}. HU may have been rescaled, or modalities "
                "are mixed: convert these from their source again, or open them as another data set."
            )
            yield Problem("warning", "values-differ", root, message)
    for name, each in facts.items():
        if any(low == high for low, high in zip(each.lows, each.highs, strict=True)):
            message = f"the volume has one value everywhere ({each.lows[0]:g}). Take it out."
            yield Problem("warning", "constant-volume", name, message)


def _count(pair: tuple[list[str], str]) -> int:
    return len(pair[0])


def _channels(facts: Mapping[str, Facts], root: str) -> Iterator[Problem]:
    counts = Counter(len(each.scalings) for each in facts.values())
    if len(counts) > 1:
        found = ", ".join(f"{count} volumes with {number}" for number, count in counts.most_common())
        message = f"{found} channels. Every volume needs a file for each channel, _0000, _0001 and so on."
        yield Problem("error", "volume-channels", root, message)


RULES: tuple[Callable[[Mapping[str, Facts], str], Iterator[Problem]], ...] = (
    _spacing,
    _orientation,
    _unoriented,
    _values,
    _channels,
)
"""The rules for the volumes of one data set, in the order of the report."""
