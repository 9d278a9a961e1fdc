"""CSV manifests of data sets: one line per case, paths relative to the file."""

from __future__ import annotations

import math
import os
import unicodedata
from collections import Counter
from pathlib import Path

from s2s2.core.tables import read_table
from s2s2.data.case import Case
from s2s2.data.problems import Problem
from s2s2.errors import DataError

COLUMNS = ("image", "mask", "case", "group", "domain", "split", "spacing_mm", "volume", "slice")
PARTS = ("train", "validation", "test")
_SYNONYMS = {
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "dev": "validation",
    "testing": "test",
}


def read_manifest(
    path: Path, *, domain: str | None = None
) -> tuple[tuple[Case, ...], tuple[Problem, ...], tuple[tuple[str, str], ...]]:
    """Read the cases of a CSV manifest, what is wrong with it, and the declared split.

    Args:
        path: The CSV file. Its columns are image, mask, case, group, domain, split
            and spacing_mm (height and width of a pixel, or one number for both; for
            slices three numbers, their distance first), and where images are slices
            volume and slice (a number that orders them); only image is needed. A case is
            named by its image's stem by default, and its group is its volume or itself.
        domain: Overrides the column domain.

    Raises:
        DataError: If the file cannot be read or names no image.
    """
    rows = read_table(path, ("image",))
    if not rows:
        raise DataError(f"{path} names no images. Expected one line a case below the names of the columns.")
    strange = sorted(rows[0].keys() - set(COLUMNS))
    problems = [
        Problem(
            "warning",
            "unknown-column",
            str(path),
            f"column {name} is ignored; known: {', '.join(COLUMNS)}.",
        )
        for name in strange
    ]
    cases, declared = [], []
    for number, row in enumerate(rows, start=1):
        if not row["image"]:
            problems.append(
                Problem("error", "no-image", f"{path}, case {number}", "the cell image is empty. Fill it.")
            )
            continue
        case = _case(row, number, path, domain, problems)
        cases.append(case)
        part = _part(row, case.id, problems)
        if part:
            declared.append((case.id, part))
    return tuple(cases), (*problems, *_twice(cases), *_undeclared(cases, declared)), tuple(declared)


def _case(row: dict[str, str], number: int, path: Path, domain: str | None, problems: list[Problem]) -> Case:
    image = _file(path.parent, row["image"])
    case_id = unicodedata.normalize("NFC", row.get("case") or image.stem)
    volume = unicodedata.normalize("NFC", row.get("volume", "")) or None
    spacing = _spacing(row, case_id, number, problems)
    return Case(
        id=case_id,
        image_path=image,
        mask_path=_file(path.parent, row["mask"]) if row.get("mask") else None,
        group=unicodedata.normalize("NFC", row.get("group") or volume or case_id),
        domain=domain or row.get("domain") or path.resolve().parent.name,
        spacing_mm=None if spacing is None else (spacing[-2], spacing[-1]),
        volume=volume,
        slice=_slice(row.get("slice", ""), case_id, number, problems),
        slice_mm=spacing[0] if spacing is not None and len(spacing) == 3 else None,
    )


def _slice(text: str, case_id: str, number: int, problems: list[Problem]) -> int:
    """Return the number of a slice; without one the slices of a volume are in the order of the rows."""
    if not text:
        return number
    if not text.lstrip("-").isdecimal():
        message = f"slice is {text!r} in row {number}, expected a whole number that orders the slices."
        problems.append(Problem("error", "slice", case_id, message))
        return number
    return int(text)


def _file(folder: Path, text: str) -> Path:
    """Return the file that a cell names: as written, or with other separators or forms of letters."""
    slashed = text.replace("\\", "/")
    forms = [unicodedata.normalize(form, slashed) for form in ("NFC", "NFD")]
    spellings = [folder / each for each in (text, *forms, slashed)]
    return next((path for path in spellings if os.path.exists(path)), spellings[-1])


def _spacing(
    row: dict[str, str], case_id: str, number: int, problems: list[Problem]
) -> tuple[float, ...] | None:
    """Return two numbers (height, width), or of a slice three (slice, height, width); one counts for both."""
    text = row.get("spacing_mm", "")
    if not text:
        return None
    try:
        numbers = [float(part) for part in text.replace("x", " ").replace(";", " ").split()]
    except ValueError:
        numbers = []
    expected = (1, 2, 3) if row.get("volume") else (1, 2)
    if len(numbers) not in expected or not all(0 < number < math.inf for number in numbers):
        message = (
            f"spacing_mm is {text!r} in row {number}, expected one or two finite numbers above 0, "
            "millimetres for each pixel, as in 0.5 or 0.5 0.7, or three for a slice of a volume, their "
            "distance first. Correct it, or leave the cell empty."
        )
        problems.append(Problem("error", "spacing", case_id, message))
        return None
    return tuple(numbers) if len(numbers) > 1 else (numbers[0], numbers[0])


def _part(row: dict[str, str], case_id: str, problems: list[Problem]) -> str | None:
    text = row.get("split", "").lower()
    part = _SYNONYMS.get(text, text)
    if part and part not in PARTS:
        problems.append(
            Problem("error", "unknown-split", case_id, f"split is {text!r}, expected {', '.join(PARTS)}.")
        )
        return None
    return part or None


def _twice(cases: list[Case]) -> list[Problem]:
    counts = Counter(case.id for case in cases)
    message = "the manifest names this case {} times. Give every line its own case id in the column case."
    return [Problem("error", "same-name", name, message.format(n)) for name, n in counts.items() if n > 1]


def _undeclared(cases: list[Case], declared: list[tuple[str, str]]) -> list[Problem]:
    if not declared:
        return []
    parts: dict[str, set[str]] = {}
    for case_id, part in declared:
        parts.setdefault(case_id, set()).add(part)
    by_group: dict[str, set[str]] = {}
    for case in cases:
        by_group.setdefault(case.group, set()).update(parts.get(case.id, set()))
    message = "is in the parts {} of the column split. Keep every group in one part."
    return [
        Problem("error", "group-in-two-parts", group, message.format(" and ".join(sorted(found))))
        for group, found in by_group.items()
        if len(found) > 1
    ]
