"""Rules of the data check: unreadable files, sizes, channels, label values, classes, groups."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from s2s2.data.checking.survey import Surveyed
from s2s2.data.classes import ClassMap
from s2s2.data.problems import Problem
from s2s2.data.reading.layouts import Found
from s2s2.data.reading.mask_values import Value, looks_soft, text_of

# 16-bit files whose brightest value stays below this hold 12 bits or fewer.
_DARK = 1 / 8


@dataclass(frozen=True)
class Evidence:
    """Everything that the rules read.

    Args:
        found: The layout.
        surveyed: What was read of each case.
        class_map: The meaning of the mask values, if it is known.
        channels: The number of channels that was asked for, if any.
    """

    found: Found
    surveyed: Sequence[Surveyed]
    class_map: ClassMap | None
    channels: int | None


def _unreadable(seen: Evidence) -> Iterator[Problem]:
    for one in seen.surveyed:
        if one.image_fault:
            yield Problem("error", "unreadable-image", one.case.id, one.image_fault)
        if one.mask_fault:
            yield Problem("error", "unreadable-mask", one.case.id, one.mask_fault)


def _channels(seen: Evidence) -> Iterator[Problem]:
    counts = Counter(one.header.channels for one in seen.surveyed if one.header)
    listed = ", ".join(f"{count} images with {channels}" for channels, count in sorted(counts.items()))
    convertible = set(counts) <= {1, 3}
    root = str(seen.found.root)
    if len(counts) > 1 and not convertible:
        message = f"{listed} channels do not go together. Keep them in separate data sets."
        yield Problem("error", "channels", root, message)
    elif len(counts) > 1 and seen.channels is None:
        yield Problem("warning", "channels", root, f"{listed} channels; grey ones are read as RGB.")
    wanted = seen.channels
    if wanted is not None and not set(counts) <= ({1, 3} if wanted in (1, 3) else {wanted}):
        yield Problem(
            "error", "channels", root, f"{listed} channels, expected {wanted}. Only grey and RGB convert."
        )


def _dark(seen: Evidence) -> Iterator[Problem]:
    deep = [one.brightest for one in seen.surveyed if one.header and one.header.bits == 16]
    if deep and max(deep) < _DARK:
        message = (
            f"the brightest value of {len(deep)} 16-bit images is {round(max(deep) * 65535)} of 65535: "
            "they are read as almost black. Scale them to the full range of 16 bits."
        )
        yield Problem("warning", "dark", str(seen.found.root), message)


def _constant(seen: Evidence) -> Iterator[Problem]:
    for one in seen.surveyed:
        if one.digest is not None and one.darkest == one.brightest and one.case.volume is None:
            name = one.case.image_path.name
            message = f"{name} has one value everywhere ({one.darkest:.3g} of 0 to 1). Take it out."
            yield Problem("warning", "constant-image", one.case.id, message)


def _turned(seen: Evidence) -> Iterator[Problem]:
    for one in seen.surveyed:
        if one.header and one.header.rotated:
            name = one.case.image_path.name
            message = f"{name} is turned as its orientation tag says; its mask must be turned too."
            yield Problem("warning", "orientation", one.case.id, message)


def _mask_sizes(seen: Evidence) -> Iterator[Problem]:
    for one in seen.surveyed:
        if one.header and one.mask_shape and one.mask_shape != one.header.shape:
            mask, image = (f"{shape[0]} x {shape[1]}" for shape in (one.mask_shape, one.header.shape))
            message = (
                f"the mask has {mask} pixels (height x width), its image {image}. Export the mask again."
            )
            yield Problem("error", "size-differs", one.case.id, message)


def _labels(seen: Evidence) -> Iterator[Problem]:
    for one in seen.surveyed:
        if one.levels is None or one.case.mask_path is None:
            continue
        if seen.class_map is not None and seen.class_map.share(one.levels) is None:
            message = seen.class_map.unknown_message(one.levels, one.case.mask_path.name)
            yield Problem("error", "unknown-label", one.case.id, message)
        elif set(one.levels.counts) == {0} or _only_background(seen.class_map, one):
            if one.case.volume is None:  # most slices of a volume may hold nothing
                message = f"{one.case.mask_path.name} marks nothing."
                yield Problem("warning", "blank-mask", one.case.id, message)
        elif _is_soft(seen.class_map, one):
            message = (
                f"{one.case.mask_path.name} has {len(one.levels.counts)} grey levels; it is cut at one half."
            )
            yield Problem("warning", "soft-mask", one.case.id, message)


def _only_background(class_map: ClassMap | None, one: Surveyed) -> bool:
    return (
        class_map is not None
        and one.levels is not None
        and set(one.levels.counts) <= set(class_map.values[0])
    )


def _is_soft(class_map: ClassMap | None, one: Surveyed) -> bool:
    if class_map is None or one.levels is None or len(class_map) != 2:
        return False
    known = {value for values in class_map.values for value in values}
    return looks_soft(one.levels) or not one.levels.counts.keys() <= known


def _palettes(seen: Evidence) -> Iterator[Problem]:
    if seen.class_map is None:  # the class map is what is missing, and the error on it says why
        return
    known: dict[Value, Value] = {}
    for one in seen.surveyed:
        palette = (one.levels.palette if one.levels is not None else None) or {}
        for index, colour in palette.items():
            if known.setdefault(index, colour) != colour and one.case.mask_path is not None:
                message = (
                    f"{one.case.mask_path.name} shows value {index} as {text_of(colour)}, others as "
                    f"{text_of(known[index])}. The indices count: save all masks with one palette, or as "
                    "RGB, or give the class map in colours."
                )
                yield Problem("warning", "palette", one.case.id, message)
                break


def _classes(seen: Evidence) -> Iterator[Problem]:
    class_map, root = seen.class_map, str(seen.found.root)
    if class_map is None:
        return
    found = [one.levels for one in seen.surveyed if one.levels is not None]
    shares = [share for share in map(class_map.share, found) if share is not None]
    occurs = [any(share[index] > 0 for share in shares) for index in range(len(class_map))]
    if shares and not any(occurs[1:]):
        yield Problem(
            "error", "no-foreground", root, f"no mask holds any class of {class_map}. Check the class map."
        )
        return
    for index, name in enumerate(class_map.names):
        if shares and not occurs[index]:
            hint = " Its value may be another one: give a class map." if index == 0 else ""
            yield Problem("warning", "absent-class", root, f"no mask holds the class {name}.{hint}")


def _groups(seen: Evidence) -> Iterator[Problem]:
    cases, root = seen.found.cases, str(seen.found.root)
    groups = {case.group for case in cases}
    if len(groups) < 3:
        number = f"{len(groups)} group{'s' * (len(groups) > 1)}"
        message = f"{number}: enough to test on, but a split needs 3. Add patients."
        yield Problem("warning", "few-groups", root, message)
    if all(case.group == case.id for case in cases):
        message = (
            "every case is its own group. Where a patient or video has several images, "
            "give a groups.csv with the columns case and group."
        )
        yield Problem("warning", "no-groups", root, message)


RULES: tuple[Callable[[Evidence], Iterator[Problem]], ...] = (
    _unreadable,
    _channels,
    _dark,
    _constant,
    _turned,
    _mask_sizes,
    _labels,
    _palettes,
    _classes,
    _groups,
)
"""The rules for one data set, in the order of the report."""
