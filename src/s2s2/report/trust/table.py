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
    "Memorised",
    f"{SIGMA}g and {SIGMA}",
)
"""Columns after the first."""

_TRAITS = {"exact": "masks exact by construction", "geometry": "keeps the geometry"}
_REASONS = {
    "unfaithful": "show another mask",
    "memorised": "memorised",
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

    @property
    def known(self) -> bool:
        """Whether it was measured."""
        return math.isfinite(self.mean)

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
class Part:
    """What was found of the copies of one generator, or of all.

    Args:
        name: Of the generator.
        found: Its entry in the audit's record.
    """

    name: str
    found: Mapping[str, Any]

    @property
    def traits(self) -> tuple[str, ...]:
        """What the generator promises: "exact", "geometry"."""
        return tuple(self.found.get("traits") or ())

    def figure(self, *path: str) -> Figure:
        """Return a mean of the entry with its interval, NaN where it was not measured."""
        found: Any = self.found
        for name in path:
            found = (found or {}).get(name)
        return Figure.read(found)


def parts_of(audit: Audit) -> tuple[Part, ...]:
    """Return what was found of each generator; of several, what was found of all copies last."""
    found = [Part(name, content) for name, content in audit.record["parts"].items()]
    return tuple(found if len(found) == 1 else [*found, Part(WHOLE, audit.record["whole"])])


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
        f"cannot be distinguished from real images{between}. FID is given for comparison: it is biased where "
        f"images are few. {SIGMA}g is how far the features of a mask\N{RIGHT SINGLE QUOTATION MARK}s copies "
        f"scatter, {SIGMA} the same of real images of similar masks."
    )


def part_row(part: Part, style: ArmStyle) -> Row:
    """Put what was found of one generator into a row.

    Args:
        part: The generator.
        style: Its colour.
    """
    found, ssim, fid = part.found, part.figure("ssim_own"), part.found.get("fid")
    marked, copies = found.get("marked") or {}, int(found["copies"])
    reasons = [f"{number} {_REASONS[name]}" for name, number in marked.items() if number and name in _REASONS]
    traits = [_TRAITS[trait] for trait in part.traits if trait in _TRAITS]
    near = count(int(found.get("near_duplicates") or 0), "near-duplicate")
    return Row(
        part.name,
        style,
        "; ".join([count(copies, "copy", "copies"), *traits, *reasons]),
        (
            _cell(part.figure("agreement")),
            _cell(part.figure("diversity")),
            _cell(part.figure("distance_own"), more=f"SSIM {ssim.text()}" if ssim.known else ""),
            _cell(part.figure("kid"), 1, more="" if fid is None else f"FID {plain(float(fid), 0)}"),
            Cell(f"{marked.get('memorised', 0)} of {copies}", near),
            _dispersion(part),
        ),
    )


def _dispersion(part: Part) -> Cell:
    copies, real, holds = (part.figure("dispersion", name) for name in ("sigma_g", "sigma", "holds"))
    if not copies.known:
        return Cell(DASH, "a mask needs two copies by it")
    share = f"{100 * holds.mean:.0f}\N{NO-BREAK SPACE}%" if holds.known else DASH
    return Cell(
        f"{plain(copies.mean, 2)}, {plain(real.mean, 2)}",
        f"{SIGMA}g/\N{SQUARE ROOT}n \N{LESS-THAN OR EQUAL TO} {SIGMA} for {share} of masks",
    )


def _cell(figure: Figure, digits: int = 2, *, more: str = "") -> Cell:
    spread = figure.spread(digits)
    return Cell(plain(figure.mean, digits), "; ".join(text for text in (spread, more) if text))
