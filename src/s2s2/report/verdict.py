"""What a paired difference supports, in one word and in one phrase."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from s2s2.report.numbers import interval, signed
from s2s2.run.results import Results

if TYPE_CHECKING:
    import pandas as pd

Word = Literal["better", "worse", "leans better", "leans worse", "open"]

LEVEL = 0.05
"""Holm-corrected p values below this one support a difference."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One arm minus another on one domain, as the comparisons give it.

    Args:
        arm: The arm.
        reference: What it is compared with.
        domain: Where.
        mean_arm: Mean of the arm over the pairs; NaN where not given.
        mean_reference: Mean of the reference over the pairs.
        value: Mean paired difference; above zero the arm is better.
        low: Lower end of the 95 % interval.
        high: Upper end.
        p_holm: Wilcoxon signed-rank p, corrected by Holm; NaN where there is none.
        better: On how many cases the arm is better; None where not counted.
        worse: On how many it is worse.
        ties: On how many there is no difference.
        cases: Pairs of cases that it rests on; None where not given.
        groups: Groups of these cases.
        seeds: Trainings an arm.
    """

    arm: str
    reference: str
    domain: str
    mean_arm: float
    mean_reference: float
    value: float
    low: float
    high: float
    p_holm: float
    better: int | None
    worse: int | None
    ties: int | None
    cases: int | None
    groups: int | None
    seeds: int | None

    def turned(self) -> Difference:
        """Return reference minus arm."""
        return replace(
            self,
            arm=self.reference,
            reference=self.arm,
            value=-self.value,
            low=-self.high,
            high=-self.low,
            mean_arm=self.mean_reference,
            mean_reference=self.mean_arm,
            better=self.worse,
            worse=self.better,
        )

    @property
    def word(self) -> Word:
        """What may be said: the interval excludes zero and Holm's p agrees, one, or none."""
        if not (self.low > 0 or self.high < 0):
            return "open"
        side: Literal["better", "worse"] = "better" if self.low > 0 else "worse"
        if math.isfinite(self.p_holm) and self.p_holm >= LEVEL:
            return "leans better" if side == "better" else "leans worse"
        return side

    @property
    def figures(self) -> str:
        r"""The difference and its interval.

        Example:
            >>> import pandas as pd
            >>> row = pd.Series({"arm": "s2s2", "reference": "baseline", "domain": "Oxford",
            ...                  "difference": 0.046, "low": 0.02, "high": 0.071, "p_holm": 0.01})
            >>> difference(row).figures
            '+0.046 (95\xa0% interval +0.020 to +0.071)'
        """
        if not math.isfinite(self.low) or not math.isfinite(self.high):
            return f"{signed(self.value)} (no interval: too few groups)"
        return f"{signed(self.value)} (95\N{NO-BREAK SPACE}% interval {interval(self.low, self.high)})"


def find_difference(run: Results, domain: str, arm: str, reference: str) -> Difference | None:
    """Return arm minus reference on a domain, turned round if the table holds reference minus arm.

    Args:
        run: The results of a run.
        domain: Where.
        arm: The arm.
        reference: What it is compared with.
    """
    row = run.compared(domain, arm, reference)
    if row is not None:
        return difference(row)
    row = run.compared(domain, reference, arm)
    return None if row is None else difference(row).turned()


def difference(row: pd.Series[Any]) -> Difference:
    """Read a row of comparisons.csv.

    Example:
        >>> import pandas as pd
        >>> row = pd.Series({"arm": "s2s2", "reference": "baseline", "domain": "Oxford",
        ...                  "difference": 0.011, "low": -0.02, "high": 0.04})
        >>> difference(row).word
        'open'
    """
    return Difference(
        arm=str(row["arm"]),
        reference=str(row["reference"]),
        domain=str(row["domain"]),
        mean_arm=float(row.get("mean_arm", math.nan)),
        mean_reference=float(row.get("mean_reference", math.nan)),
        value=float(row["difference"]),
        low=float(row["low"]),
        high=float(row["high"]),
        p_holm=float(row.get("p_holm", math.nan)),
        better=_whole(row, "better"),
        worse=_whole(row, "worse"),
        ties=_whole(row, "tied"),
        cases=_whole(row, "n_cases"),
        groups=_whole(row, "n_groups"),
        seeds=_whole(row, "n_seeds"),
    )


def _whole(row: pd.Series[Any], name: str) -> int | None:
    return int(row[name]) if name in row and math.isfinite(row[name]) else None
