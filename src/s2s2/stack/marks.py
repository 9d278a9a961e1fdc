"""Marks of copies that must not be trained on, and maps of where a copy disagrees with its mask."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from s2s2.core.names import file_name
from s2s2.core.records import Record
from s2s2.core.storage import FORMAT, atomic
from s2s2.core.types import Region
from s2s2.errors import StackError
from s2s2.stack.pages import CORRUPT, encode, read_index, read_page

REASONS = ("unfaithful", "memorised", "constant", "nan")
"""Why a copy is marked: it does not show its mask; it repeats a training image; it is of one
colour, as a safety filter gives; it held values that are no numbers and is stored as black there."""

MAPS = "disagreement"
"""Folder of the maps."""

Marks = dict[str, dict[int, tuple[str, ...]]]
"""The reasons for each marked copy, by case id and number."""


def marks_path(folder: Path) -> Path:
    """Return where the marks of a stack lie."""
    return folder / "audit" / "marks.json"


def disagreement_path(folder: Path, case_id: str) -> Path:
    """Return where the maps of a case's copies lie."""
    return folder / "audit" / MAPS / f"{file_name(case_id)}.tif"


def read_marks(folder: Path, recipe: Mapping[str, Any]) -> Marks:
    """Return the marks of a stack, none where it was not audited.

    Args:
        folder: Of the stack.
        recipe: Of the stack, as `Stack.recipe` gives it.

    Raises:
        StackError: If the file is corrupt, or was written for another state of the stack.
    """
    record = _record(folder, recipe)
    content = record.require("The stack was built again since: run `s2s2 audit` again.")
    if not content:
        if (audited := record.path.with_name("audit.json")).exists():
            raise StackError(
                f"{record.path} is missing, though {audited.name} beside it says that copies were audited. "
                "Restore the file, or run `s2s2 audit` again."
            )
        return {}
    try:
        marks = {
            case_id: {int(number): tuple(reasons) for number, reasons in copies.items()}
            for case_id, copies in content["marks"].items()
        }
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StackError(
            f"{record.path} holds no marks ({error!r}), expected case ids, numbers of copies and reasons. "
            "Run `s2s2 audit` again."
        ) from error
    return merged([marks])


def has_marks(folder: Path, recipe: Mapping[str, Any]) -> bool:
    """Whether an audit of this state of the stack has left its marks, and they were not altered since."""
    return _record(folder, recipe).holds()


def noted_faults(note: Mapping[str, Any]) -> dict[int, tuple[str, ...]]:
    """Return the copies of a case that came out broken, as its file notes them."""
    return {int(number): (str(fault),) for number, fault in note.get("faults", {}).items()}


def write_marks(
    folder: Path, recipe: Mapping[str, Any], marks: Mapping[str, Mapping[int, Sequence[str]]]
) -> None:
    """Write the marks of a stack; the same marks give the same bytes."""
    content = {
        case_id: {str(number): list(reasons) for number, reasons in copies.items()}
        for case_id, copies in merged([marks]).items()
    }
    _record(folder, recipe).finish({"marks": content})


def _record(folder: Path, recipe: Mapping[str, Any]) -> Record:
    return Record(marks_path(folder), {"stack": recipe}, error=StackError)


def merged(all_marks: Iterable[Mapping[str, Mapping[int, Sequence[str]]]]) -> Marks:
    """Return all marks together, in a fixed order, without empty ones.

    Raises:
        StackError: If a reason is unknown.

    Example:
        >>> merged([{"a": {1: ["memorised"]}}, {"a": {1: ["unfaithful"], 2: []}}])
        {'a': {1: ('unfaithful', 'memorised')}}
    """
    found: dict[str, dict[int, set[str]]] = {}
    for marks in all_marks:
        for case_id, copies in marks.items():
            for number, reasons in copies.items():
                found.setdefault(case_id, {}).setdefault(number, set()).update(reasons)
    unknown = {reason for copies in found.values() for reasons in copies.values() for reason in reasons}
    if unknown - set(REASONS):
        raise StackError(
            f"A copy is marked {', '.join(sorted(unknown - set(REASONS)))!r}, expected one of "
            f"{', '.join(REASONS)}. Run `s2s2 audit` again."
        )
    ordered = {
        case_id: {
            number: tuple(reason for reason in REASONS if reason in copies[number])
            for number in sorted(copies)
            if copies[number]
        }
        for case_id, copies in sorted(found.items())
    }
    return {case_id: copies for case_id, copies in ordered.items() if copies}


def write_disagreement(folder: Path, case_id: str, maps: Region) -> None:
    """Write where each copy of a case disagrees with its mask.

    Args:
        folder: Of the stack.
        case_id: The case.
        maps: Shape (copy, height, width) on the working grid.
    """
    pages = maps[:, None].astype(np.uint8) * np.uint8(255)
    with atomic(disagreement_path(folder, case_id)) as temporary:
        temporary.write_bytes(encode(pages, {"format": FORMAT, "case": case_id}))


def read_disagreement(folder: Path, case_id: str, number: int) -> Region | None:
    """Return where a copy disagrees with its mask, shape (height, width), or None where it was not audited.

    Raises:
        StackError: If the file is corrupt.
    """
    path = disagreement_path(folder, case_id)
    try:
        index = read_index(path)
        page = read_page(path, index, number) if number < index.depth else None
    except FileNotFoundError:
        return None
    except CORRUPT as error:
        raise StackError(f"{path} is corrupt ({error}). Run `s2s2 audit` again.") from error
    return None if page is None else page[0] > 0
