"""The figures of an audit, and its table with one row for each generator."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from s2s2.report.numbers import DASH, count, plain
from s2s2.report.palette import WHOLE, ArmStyle

if TYPE_CHECKING:
    from s2s2.audit import Audit

SIGMA = "\N{GREEK SMALL LETTER SIGMA}"
HEADS = (
    "Dice with the mask",
    "Copies of a mask differ by",
    "Distance to the own image",
    "KID to real images",
    "Over again",
    f"{SIGMA}g and {SIGMA}",
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
class Figure:
    """A mean and its 95 % interval; NaN where there is none."""

    mean: float
    low: float
    high: float

    @classmethod
    def read(cls, content: Mapping[str, Any] | None) -> Figure:
        """Take the three numbers of a record; what is missing is NaN.

        Example:
            >>> Figure.read({"mean": 0.5, "low": None, "high": None})
            Figure(mean=0.5, low=nan, high=nan)
        """
        found = [(content or {}).get(name) for name in ("mean", "low", "high")]
        return cls(*(math.nan if value is None else float(value) for value in found))

    def spread(self, digits: int = 2) -> str:
        """Return the interval as text, empty where there is none."""
        if not math.isfinite(self.low) or not math.isfinite(self.high):
            return ""
        return f"{plain(self.low, digits)} to {plain(self.high, digits)}"

    def text(self, digits: int = 2) -> str:
        """Return the mean with its interval in brackets.

        Example:
            >>> Figure(0.8, 0.75, 0.84).text()
            '0.80 (0.75 to 0.84)'
        """
        spread = self.spread(digits)
        return f"{plain(self.mean, digits)} ({spread})" if spread else plain(self.mean, digits)


@dataclass(frozen=True, slots=True)
class PartFigures:
    """What was found of the copies of one generator, or of all.

    Args:
        name: Of the generator.
        traits: What it promises: "exact", "geometry".
        copies: How many there are.
        agreement: Dice of the judges with the mask.
        classes: The same by class.
        diversity: Distance between copies of a mask.
        distance_own: Distance to the real image of the mask.
        ssim_own: Structural similarity to it.
        kid: Kernel inception distance to the real images, in thousandths.
        fid: Frechet distance.
        near_duplicates: Copies as near to a real image as one stored anew.
        marked: Marked copies by reason.
        sigma_g: Dispersion of the features of a mask's copies.
        sigma: Dispersion over real images of like masks.
        holds: Share of masks that meet the method's condition.
    """

    name: str
    traits: tuple[str, ...]
    copies: int
    agreement: Figure
    classes: Mapping[str, Figure]
    diversity: Figure
    distance_own: Figure
    ssim_own: Figure
    kid: Figure
    fid: float
    near_duplicates: int
    marked: Mapping[str, int]
    sigma_g: Figure
    sigma: Figure
    holds: Figure


def part_figures(audit: Audit) -> tuple[PartFigures, ...]:
    """Return the figures of each generator; of several, those of all copies last."""
    parts = audit.record["parts"]
    found = [_part(name, content) for name, content in parts.items()]
    return tuple(found if len(found) == 1 else [*found, _part(WHOLE, audit.record["whole"])])


def _part(name: str, content: Mapping[str, Any]) -> PartFigures:
    spread = content.get("dispersion") or {}
    fid = content.get("fid")
    return PartFigures(
        name=name,
        traits=tuple(content.get("traits") or ()),
        copies=int(content["copies"]),
        agreement=Figure.read(content.get("agreement")),
        classes={key: Figure.read(value) for key, value in (content.get("agreement_by_class") or {}).items()},
        diversity=Figure.read(content.get("diversity")),
        distance_own=Figure.read(content.get("distance_own")),
        ssim_own=Figure.read(content.get("ssim_own")),
        kid=Figure.read(content.get("kid")),
        fid=math.nan if fid is None else float(fid),
        near_duplicates=int(content.get("near_duplicates") or 0),
        marked=dict(content.get("marked") or {}),
        sigma_g=Figure.read(spread.get("sigma_g")),
        sigma=Figure.read(spread.get("sigma")),
        holds=Figure.read(spread.get("holds")),
    )


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
        f"images are few. {SIGMA}g is how far the features of a mask\N{RIGHT SINGLE QUOTATION MARK}s copies "
        f"scatter, {SIGMA} the same of real images of similar masks."
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
    share = f"{100 * part.holds.mean:.0f}\N{NO-BREAK SPACE}%" if _known(part.holds) else DASH
    return Cell(
        f"{plain(part.sigma_g.mean, 2)}, {plain(part.sigma.mean, 2)}",
        f"{SIGMA}g/\N{SQUARE ROOT}n \N{LESS-THAN OR EQUAL TO} {SIGMA} for {share} of masks",
    )


def _cell(figure: Figure, digits: int = 2, *, more: str = "") -> Cell:
    spread = figure.spread(digits)
    return Cell(plain(figure.mean, digits), "; ".join(text for text in (spread, more) if text))


def _known(figure: Figure) -> bool:
    return math.isfinite(figure.mean)
