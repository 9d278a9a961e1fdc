"""What must be known of all files before the first case is read."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from s2s2.data.case import Case
from s2s2.data.classes import ClassMap
from s2s2.data.reading.decoding import Header, header
from s2s2.data.reading.labels import Levels, read_levels
from s2s2.errors import DataError

CLASSES_FILE = "classes.json"
"""Name of the file in a data set's folder that gives its class map."""

# More masks than these are not all read to infer a class map; the check reads them all.
_INFERRED_FROM = 2000

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_threads(function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
    """Call a function on each item in a few threads, results in the items' order.

    Decoders leave Python's lock alone while they work, so threads are enough.
    """
    with ThreadPoolExecutor(max_workers=min(8, (os.cpu_count() or 1) + 1)) as pool:
        # In chunks: a pool takes everything at once and would keep all results waiting.
        for start in range(0, len(items), 256):
            yield from pool.map(function, items[start : start + 256])


def read_headers(cases: Sequence[Case]) -> dict[str, Header]:
    """Read the header of each image that can be read, by case id."""
    found = zip(cases, in_threads(_header_or_none, cases), strict=True)
    return {case.id: head for case, head in found if head is not None}


def _header_or_none(case: Case) -> Header | None:
    try:
        return header(case.image_path)
    except DataError:
        return None  # named when this case is read, and by the check


def common_channels(headers: dict[str, Header], where: Path) -> int:
    """Return the channels that all images can be read with: grey beside RGB is RGB.

    Raises:
        DataError: If no image can be read, or their channels do not go together.
    """
    counts = Counter(head.channels for head in headers.values())
    if not counts:
        raise DataError(f"None of the images of {where} can be read. `s2s2 check` names the cause for each.")
    if len(counts) > 1 and not set(counts) <= {1, 3}:
        listed = ", ".join(f"{count} with {channels}" for channels, count in sorted(counts.items()))
        raise DataError(
            f"The images of {where} do not go together: {listed} channels. "
            "Expected one number, or grey (1) and RGB (3): open them as separate data sets."
        )
    return max(counts)


def site_class_map(root: Path, cases: Sequence[Case]) -> ClassMap | None:
    """Return the class map of classes.json, else the one inferred from the masks.

    Raises:
        DataError: If a mask cannot be read or no classes can be inferred.
    """
    if (root / CLASSES_FILE).is_file():
        return ClassMap.load(root / CLASSES_FILE)
    paths = [case.mask_path for case in cases if case.mask_path is not None]
    if not paths:
        return None
    step = -(-len(paths) // _INFERRED_FROM)
    levels: list[Levels] = list(in_threads(read_levels, paths[::step]))
    return ClassMap.from_levels(levels)
