"""The audit's table: one row a generator."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from s2s2.report.numbers import DASH, count, plain
from s2s2.report.palette import ArmStyle
from s2s2.report.trust.reading import Figure, PartFigures

if TYPE_CHECKING:
    from s2s2.audit import Audit

HEADS = (
    "Dice with the mask",
    "Copies of a mask differ by",
    "Distance to the own image",
    "KID to real images",
    "Over again",
    "\N{GREEK SMALL LETTER SIGMA}g and \N{GREEK SMALL LETTER SIGMA}",
)
"""Columns after the first."""

_TRAITS = {"exact": "masks exact by construction", "geometry": "keeps the geometry"}
_REASONS = {
    "unfaithful": "show another mask",
    "memorised": "over again",
    "constant": "of one colour",
    "nan": "not finite",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure of the table and the small print beside it."""

    value: str
    small: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """The copies of one generator."""

    part: str
    style: ArmStyle
    size: str
    cells: tuple[Cell, ...]


def caption(audit: Audit) -> str:
    """Say what the table's figures mean, and what real images reach.

    Args:
        audit: Its figures of real images are read.
    """
    real = audit.record["real"]
    halves = Figure.read(real.get("kid"))
    between = (
        f"; of one half of the real images to the other it is {halves.text(1)}" if halves.spread() else ""
    )
    power = audit.record.get("power")
    found = "" if power is None else f" and would find {100 * power:.0f}\N{NO-BREAK SPACE}% of wrong masks"
    return (
        "Means and 95\N{NO-BREAK SPACE}% intervals over groups. Dice is that of judges which never saw the "
        f"group; they reach {Figure.read(real.get('agreement')).text()} on held-out real images{found}. "
        "Distances compare features of an encoder, and real images of two groups lie "
        f"{Figure.read(real.get('distance')).text()} apart. KID, in thousandths, is near 0 where copies "
        f"cannot be told from real images{between}. FID is given for comparison alone: it is biased where "
        "images are few. \N{GREEK SMALL LETTER SIGMA}g is how far the features of a "
        "mask\N{RIGHT SINGLE QUOTATION MARK}s copies scatter, \N{GREEK SMALL LETTER SIGMA} the same of "
        "real images of like masks."
    )


def part_row(part: PartFigures, depth: int, style: ArmStyle) -> Row:
    """Put the figures of one generator into a row.

    Args:
        part: Its figures.
        depth: Copies a mask in the whole stack.
        style: Its colour.
    """
    return Row(
        part.name,
        style,
        _size(part),
        (
            _cell(part.agreement),
            _cell(part.diversity),
            _cell(part.distance_own, more=f"SSIM {part.ssim_own.text()}" if _known(part.ssim_own) else ""),
            _cell(part.kid, 1, more=f"FID {plain(part.fid, 0)}" if math.isfinite(part.fid) else ""),
            _again(part),
            _dispersion(part, depth),
        ),
    )


def _size(part: PartFigures) -> str:
    marked = [
        f"{number} {_REASONS[reason]}"
        for reason, number in part.marked.items()
        if number and reason in _REASONS
    ]
    traits = [_TRAITS[trait] for trait in part.traits if trait in _TRAITS]
    return "; ".join([count(part.copies, "copy", "copies"), *traits, *marked])


def _again(part: PartFigures) -> Cell:
    near = count(part.near_duplicates, "near-duplicate")
    return Cell(f"{part.marked.get('memorised', 0)} of {part.copies}", near)


def _dispersion(part: PartFigures, depth: int) -> Cell:
    if not _known(part.sigma_g):
        return Cell(DASH, "a mask needs two copies by it")
    sigma = "\N{GREEK SMALL LETTER SIGMA}"
    share = f"{100 * part.holds.mean:.0f}\N{NO-BREAK SPACE}%" if _known(part.holds) else DASH
    return Cell(
        f"{plain(part.sigma_g.mean, 2)}, {plain(part.sigma.mean, 2)}",
        f"{sigma}g/\N{SQUARE ROOT}n \N{LESS-THAN OR EQUAL TO} {sigma} for {share} of masks",
    )


def _cell(figure: Figure, digits: int = 2, *, more: str = "") -> Cell:
    spread = figure.spread(digits)
    return Cell(plain(figure.mean, digits), "; ".join(text for text in (spread, more) if text))


def _known(figure: Figure) -> bool:
    return math.isfinite(figure.mean)
