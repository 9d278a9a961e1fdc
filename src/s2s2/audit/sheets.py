"""Picture sheets of an audit: best, median and worst copies, rejected ones, nearest neighbours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from s2s2.audit.measure import Workbench
from s2s2.audit.result import SHEETS
from s2s2.audit.summary import Findings
from s2s2.core.types import Floats
from s2s2.pictures import SheetRow, displayed, draw_sheet, overlay, painted

ROWS = 6
"""Rows of a sheet."""


class Copy(NamedTuple):
    """One copy: the index of its case, and its number."""

    case: int
    number: int


def write_sheets(bench: Workbench, findings: Findings) -> None:
    """Draw all sheets that have something to show, and remove those that have not.

    `fidelity_best`, `fidelity_median`, `fidelity_worst`: by how far a copy's agreement differs
    from what is expected of its case. `rejected`: marked copies, those that agree least with
    their masks first. `neighbours`: the copies that lie nearest to one real image, and it.
    """
    measured = findings.measured
    fall = np.array([case.mean for case in measured]) - findings.reference.expected[:, None]
    ratio = np.array([case.first / np.maximum(case.second, 1e-12) for case in measured])
    order = _ordered(fall)
    middle = sorted(order, key=lambda copy: abs(fall[copy] - np.median(fall)))
    marked = [copy for copy in order if _reasons(findings, copy)]
    chosen = {
        "fidelity_best": (_distinct(reversed(order)), _fidelity_row),
        "fidelity_median": (_distinct(middle), _fidelity_row),
        "fidelity_worst": (_distinct(order), _fidelity_row),
        "rejected": (_mixed(findings, marked), _fidelity_row),
        "neighbours": (_distinct(_ordered(ratio)), _neighbour_row),
    }
    for name, (copies, row) in chosen.items():
        path = bench.stack.path / "audit" / SHEETS / f"{name}.jpg"
        if copies:
            draw_sheet([row(bench, findings, copy) for copy in copies], path)
        else:
            path.unlink(missing_ok=True)


def _fidelity_row(bench: Workbench, findings: Findings, copy: Copy) -> SheetRow:
    """Real image with its mask, the mask, the copy, the copy with what is read from it."""
    case = bench.train[copy.case]
    mask, colours = bench.train.mask(case), bench.train.class_map.colours
    image = bench.stack.copy(case.id, copy.number)
    read = bench.segmenters.read(image[None], mask, case.id).labels[0]
    agreement = findings.measured[copy.case].mean[copy.number]
    words = f"agreement {agreement:.2f}, expected {findings.reference.expected[copy.case]:.2f}"
    return SheetRow(
        _words(bench, findings, copy, words),
        {
            "real image, its mask": overlay(bench.train.image(case), mask, colours),
            "mask": painted(mask, colours),
            "copy": displayed(image),
            "copy, what is read": overlay(image, read, colours),
        },
    )


def _neighbour_row(bench: Workbench, findings: Findings, copy: Copy) -> SheetRow:
    """The copy, the real image that lies nearest to it, the real image of its own case."""
    measured, train = findings.measured[copy.case], bench.train
    own, near = train[copy.case], train[int(measured.nearest[copy.number])]
    first, second = measured.first[copy.number], measured.second[copy.number]
    words = f"{near.id} at {first:.2f}, next patient at {second:.2f}"
    return SheetRow(
        _words(bench, findings, copy, words),
        {
            "copy": displayed(bench.stack.copy(own.id, copy.number)),
            "nearest real image": displayed(train.image(near)),
            "real image of its mask": displayed(train.image(own)),
        },
    )


def _words(bench: Workbench, findings: Findings, copy: Copy, words: str) -> str:
    """Return what stands above a row: the copy, what was measured, and the reasons against it."""
    reasons = ", ".join(_reasons(findings, copy))
    return f"{bench.train.ids[copy.case]} copy {copy.number}: {words}{': ' + reasons if reasons else ''}"


def _reasons(findings: Findings, copy: Copy) -> tuple[str, ...]:
    return findings.marks.get(findings.reference.ids[copy.case], {}).get(copy.number, ())


def _ordered(values: Floats) -> list[Copy]:
    """Return all copies from the lowest value to the highest; equal ones in their own order."""
    order = np.argsort(values, axis=None, kind="stable")
    return [Copy(*(int(part) for part in divmod(int(flat), values.shape[1]))) for flat in order]


def _distinct(copies: Iterable[Copy]) -> list[Copy]:
    """Return the first copies, one of each case."""
    found: dict[int, Copy] = {}
    for copy in copies:
        found.setdefault(copy.case, copy)
        if len(found) == ROWS:
            break
    return list(found.values())


def _mixed(findings: Findings, marked: Sequence[Copy]) -> list[Copy]:
    """Return marked copies of every reason in turn, as many as a sheet and again as many hold."""
    by_reason: dict[str, list[Copy]] = {}
    for copy in marked:
        by_reason.setdefault(_reasons(findings, copy)[0], []).append(copy)
    longest = max(map(len, by_reason.values()), default=0)
    turns = [copies[turn] for turn in range(longest) for copies in by_reason.values() if turn < len(copies)]
    return turns[: 2 * ROWS]
