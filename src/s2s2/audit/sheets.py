"""Picture sheets: what was read best, in between and worst, what was rejected, what lies near."""

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


class Place(NamedTuple):
    """One copy: the place of its case, and its number."""

    case: int
    number: int


def write_sheets(bench: Workbench, findings: Findings) -> None:
    """Draw all sheets that have something to show, and remove those that have not.

    `fidelity_best`, `fidelity_median`, `fidelity_worst`: by how far a copy's agreement lies
    above or below what is expected of its case. `rejected`: marked copies, the least true and
    the nearest first. `neighbours`: the copies that lie nearest to one real image, and it.
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
    middle = sorted(order, key=lambda place: abs(fall[place] - np.median(fall)))
    marked = [place for place in order if _reasons(findings, place)]
    chosen: dict[str, tuple[list[Place], Callable[..., SheetRow]]] = {
        "fidelity_best": (_distinct(reversed(order)), _fidelity_row),
        "fidelity_median": (_distinct(middle), _fidelity_row),
        "fidelity_worst": (_distinct(order), _fidelity_row),
        "rejected": (_mixed(findings, marked), _fidelity_row),
        "neighbours": (_distinct(_ordered(ratio)), _neighbour_row),
    }
    for name, (places, row) in chosen.items():
        path = folder / f"{name}.jpg"
        if places:
            draw_sheet([row(bench, findings, labels, place) for place in places], path)
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


def _fidelity_row(bench: Workbench, findings: Findings, read: _Reader, place: Place) -> SheetRow:
    """Real image with its mask, the mask, the copy, the copy with what is read from it."""
    case_id = findings.reference.ids[place.case]
    case = bench.train.case(case_id)
    real, mask, copy = bench.train.image(case), bench.train.mask(case), bench.stack.copy(*_name(bench, place))
    colours = bench.train.class_map.colours
    measured, expected = findings.measured[place.case], findings.reference.expected[place.case]
    reasons = ", ".join(_reasons(findings, place))
    words = f"{case_id} copy {place.number}: agreement {measured.mean[place.number]:.2f}, "
    return SheetRow(
        f"{words}expected {expected:.2f}{': ' + reasons if reasons else ''}",
        {
            "real image, its mask": overlay(real, mask, colours),
            "mask": painted(mask, colours),
            "copy": displayed(copy),
            "copy, what is read": overlay(copy, read(copy, case_id), colours),
        },
    )


def _neighbour_row(bench: Workbench, findings: Findings, read: _Reader, place: Place) -> SheetRow:
    """The copy, the real image that lies nearest to it, the real image of its own case."""
    measured, ids = findings.measured[place.case], findings.reference.ids
    own, near = ids[place.case], ids[measured.place[place.number]]
    first, second = measured.first[place.number], measured.second[place.number]
    train = bench.train
    reasons = ", ".join(_reasons(findings, place))
    return SheetRow(
        f"{own} copy {place.number}: {near} at {first:.2f}, next patient at {second:.2f}"
        f"{': ' + reasons if reasons else ''}",
        {
            "copy": displayed(bench.stack.copy(*_name(bench, place))),
            "nearest real image": displayed(train.image(train.case(near))),
            "real image of its mask": displayed(train.image(train.case(own))),
        },
    )


def _name(bench: Workbench, place: Place) -> tuple[str, int]:
    return bench.train.ids[place.case], place.number


def _reasons(findings: Findings, place: Place) -> tuple[str, ...]:
    return findings.marks.get(findings.reference.ids[place.case], {}).get(place.number, ())


def _ordered(values: Floats) -> list[Place]:
    """Return all copies from the lowest value to the highest; equal ones in their own order."""
    order = np.argsort(values, axis=None, kind="stable")
    return [Place(*(int(part) for part in divmod(int(flat), values.shape[1]))) for flat in order]


def _distinct(places: Sequence[Place] | Iterator[Place]) -> list[Place]:
    """Return the first copies, one a case."""
    found: dict[int, Place] = {}
    for place in places:
        found.setdefault(place.case, place)
        if len(found) == ROWS:
            break
    return list(found.values())


def _mixed(findings: Findings, marked: Sequence[Place]) -> list[Place]:
    """Return marked copies of every reason in turn, as many as a sheet and again as many hold."""
    by_reason: dict[str, list[Place]] = {}
    for place in marked:
        by_reason.setdefault(_reasons(findings, place)[0], []).append(place)
    longest = max(map(len, by_reason.values()), default=0)
    turns = [places[turn] for turn in range(longest) for places in by_reason.values() if turn < len(places)]
    return turns[: 2 * ROWS]
