"""Groups of cases that belong together: one patient, one video, one pair of eyes."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from pathlib import Path

from s2s2.core.names import is_file
from s2s2.core.tables import read_table
from s2s2.data.case import Case
from s2s2.data.problems import Problem
from s2s2.errors import ConfigError

_FILE_NAME = "groups.csv"


def assign_groups(
    cases: tuple[Case, ...], groups: str | Path | None, root: Path, *, is_manifest: bool
) -> tuple[tuple[Case, ...], tuple[Problem, ...]]:
    """Give every case its group.

    Args:
        cases: The cases as they were found.
        groups: A CSV file, a regular expression, or None for the default.
        root: The data set's folder, where groups.csv may lie.
        is_manifest: Whether the cases have their groups from a manifest already.

    Raises:
        ConfigError: If `groups` is neither a file nor a usable expression.
        DataError: If the CSV file cannot be read.
    """
    if groups is None:
        default = root / _FILE_NAME
        return _from_csv(cases, default) if default.is_file() and not is_manifest else (cases, ())
    for file in (Path(groups), root / groups):
        if is_file(file):
            return _from_csv(cases, file)
    if isinstance(groups, Path) or groups.lower().endswith(".csv"):
        raise ConfigError(
            f"groups names the file {groups}, which is neither here nor in {root}. Check the path."
        )
    return _from_expression(cases, groups)


def _from_expression(cases: tuple[Case, ...], text: str) -> tuple[tuple[Case, ...], tuple[Problem, ...]]:
    try:
        expression = re.compile(text)
    except re.error as error:
        raise ConfigError(
            f"groups is {text!r}, which is neither a CSV file nor a regular expression ({error}). "
            r"Give one such as ^(patient\d+)_."
        ) from error
    if expression.groups != 1:
        raise ConfigError(
            f"groups is {text!r} with {expression.groups} groups in parentheses, expected 1. "
            r"Put the part of the case id that names the patient in parentheses, as in ^(patient\d+)_."
        )
    grouped, problems = [], []
    for case in cases:
        match = expression.search(case.id)
        if match is None or not match.group(1):
            problems.append(
                Problem("error", "no-group", case.id, f"groups {text!r} does not match this case id.")
            )
        else:
            case = replace(case, group=match.group(1))
        grouped.append(case)
    return tuple(grouped), tuple(problems)


def _from_csv(cases: tuple[Case, ...], path: Path) -> tuple[tuple[Case, ...], tuple[Problem, ...]]:
    names: dict[str, str] = {}
    problems = []
    for row in read_table(path, ("case", "group")):
        case, group = (unicodedata.normalize("NFC", row[name]) for name in ("case", "group"))
        if names.setdefault(case, group) != group:
            message = f"{path.name} puts it into {names[case]} and into {group}. Keep one line."
            problems.append(Problem("error", "two-groups", case, message))
        if not group:
            problems.append(
                Problem("error", "no-group", case, f"{path.name} leaves its group empty. Name the group.")
            )
    known = {case.id for case in cases}
    for case_id in sorted(known - names.keys()):
        message = f"{path.name} has no line for this case. Add one, so that no patient is split."
        problems.append(Problem("error", "no-group", case_id, message))
    for case_id in sorted(names.keys() - known):
        problems.append(
            Problem("warning", "group-without-case", case_id, f"{path.name} names a case that is not here.")
        )
    return tuple(replace(case, group=names.get(case.id, case.id)) for case in cases), tuple(problems)
