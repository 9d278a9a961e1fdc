"""Picture sheets of an audit: best, median and worst copies, rejected ones, nearest neighbours."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from s2s2.audit.measure import Workbench
from s2s2.audit.result import SHEETS
from s2s2.audit.summary import Findings
from s2s2.core.types import Floats, Image, LabelMap
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
    from what is expected of its case. `rejected`: marked copies, those that agree
    least with their masks first. `neighbours`: the copies that lie nearest to one real image, and it.
    """
    folder = bench.stack.path / "audit" / SHEETS
    labels = _Reader(bench)
    fall = np.array(
        [
            case.mean - expected
            for case, expected in zip(findings.measured, findings.reference.expected, strict=True)
        ]
    )
    ratio = np.array([case.first / np.maximum(case.second, 1e-12) for case in findings.measured])
    order = _ordered(fall)
    middle = sorted(order, key=lambda copy: abs(fall[copy] - np.median(fall)))
    marked = [copy for copy in order if _reasons(findings, copy)]
    chosen: dict[str, tuple[list[Copy], Callable[..., SheetRow]]] = {
        "fidelity_best": (_distinct(reversed(order)), _fidelity_row),
        "fidelity_median": (_distinct(middle), _fidelity_row),
        "fidelity_worst": (_distinct(order), _fidelity_row),
        "rejected": (_mixed(findings, marked), _fidelity_row),
        "neighbours": (_distinct(_ordered(ratio)), _neighbour_row),
    }
    for name, (copies, row) in chosen.items():
        path = folder / f"{name}.jpg"
        if copies:
            draw_sheet([row(bench, findings, labels, copy) for copy in copies], path)
        else:
            path.unlink(missing_ok=True)


class _Reader:
    """What the judges read, of a real image and of a copy."""

    def __init__(self, bench: Workbench) -> None:
        self.bench = bench

    def __call__(self, image: Image, case_id: str) -> LabelMap:
        mask = self.bench.train.mask(self.bench.train.case(case_id))
        labels: LabelMap = self.bench.segmenters.read(image[None], mask, case_id).labels[0]
        return labels


def _fidelity_row(bench: Workbench, findings: Findings, read: _Reader, copy: Copy) -> SheetRow:
    """Real image with its mask, the mask, the copy, the copy with what is read from it."""
    case_id = findings.reference.ids[copy.case]
    case = bench.train.case(case_id)
    real, mask = bench.train.image(case), bench.train.mask(case)
    image = bench.stack.copy(case_id, copy.number)
    colours = bench.train.class_map.colours
    measured, expected = findings.measured[copy.case], findings.reference.expected[copy.case]
    reasons = ", ".join(_reasons(findings, copy))
    words = f"{case_id} copy {copy.number}: agreement {measured.mean[copy.number]:.2f}, "
    return SheetRow(
        f"{words}expected {expected:.2f}{': ' + reasons if reasons else ''}",
        {
            "real image, its mask": overlay(real, mask, colours),
            "mask": painted(mask, colours),
            "copy": displayed(image),
            "copy, what is read": overlay(image, read(image, case_id), colours),
        },
    )


def _neighbour_row(bench: Workbench, findings: Findings, read: _Reader, copy: Copy) -> SheetRow:
    """The copy, the real image that lies nearest to it, the real image of its own case."""
    measured, ids = findings.measured[copy.case], findings.reference.ids
    own, near = ids[copy.case], ids[measured.nearest[copy.number]]
    first, second = measured.first[copy.number], measured.second[copy.number]
    train = bench.train
    reasons = ", ".join(_reasons(findings, copy))
    return SheetRow(
        f"{own} copy {copy.number}: {near} at {first:.2f}, next patient at {second:.2f}"
        f"{': ' + reasons if reasons else ''}",
        {
            "copy": displayed(bench.stack.copy(own, copy.number)),
            "nearest real image": displayed(train.image(train.case(near))),
            "real image of its mask": displayed(train.image(train.case(own))),
        },
    )


def _reasons(findings: Findings, copy: Copy) -> tuple[str, ...]:
    return findings.marks.get(findings.reference.ids[copy.case], {}).get(copy.number, ())


def _ordered(values: Floats) -> list[Copy]:
    """Return all copies from the lowest value to the highest; equal ones in their own order."""
    order = np.argsort(values, axis=None, kind="stable")
    return [Copy(*(int(part) for part in divmod(int(flat), values.shape[1]))) for flat in order]


def _distinct(copies: Sequence[Copy] | Iterator[Copy]) -> list[Copy]:
    """Return the first copies, one a case."""
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
