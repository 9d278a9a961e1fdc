"""An audit's figures, read once and given names."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from s2s2.report.numbers import plain
from s2s2.report.palette import WHOLE

if TYPE_CHECKING:
    from s2s2.audit import Audit


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
