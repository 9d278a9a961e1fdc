"""The scores as tables: at a glance on top, every mean and every difference at the end."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from s2s2.evaluation.tables import ALL_CLASSES
from s2s2.metrics import METRICS
from s2s2.report.numbers import DASH, MINUS, count, interval, plain, probability, signed
from s2s2.report.verdict import find_difference
from s2s2.report.volumes.words import Nouns
from s2s2.run.results import Results

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Cell:
    """Mean and interval of one arm on one domain.

    Args:
        arm: Its name.
        mean: As text.
        spread: The 95 % interval as text, empty where there is none.
        sign: "up" or "down" where the difference to the reference is supported, else empty.
        best: Whether it is supported against every other arm.
    """

    arm: str
    mean: str
    spread: str
    sign: str
    best: bool


@dataclass(frozen=True, slots=True)
class GlanceRow:
    """One domain of the table at a glance."""

    domain: str
    home: bool
    size: str
    cells: tuple[Cell, ...]


def glance(run: Results, nouns: Nouns | None = None) -> tuple[GlanceRow, ...]:
    """Return the mean Dice of every arm on every domain, with what may be said of it.

    Args:
        run: The results of a run.
        nouns: What its cases and groups are called.
    """
    rows = []
    for domain in run.domains:
        cells = tuple(_cell(run, domain, arm) for arm in run.arms)
        if any(cell.mean != DASH for cell in cells):
            means = [mean for arm in run.arms if (mean := run.mean(domain, arm)) is not None]
            rows.append(GlanceRow(domain, domain == run.home, _size(means[0], nouns or Nouns()), cells))
    return tuple(rows)


def _cell(run: Results, domain: str, arm: str) -> Cell:
    row = run.mean(domain, arm)
    if row is None:
        return Cell(arm, DASH, "", "", False)
    low, high = float(row["low"]), float(row["high"])
    spread = f"{plain(low)}{DASH}{plain(high)}" if math.isfinite(low) and math.isfinite(high) else ""
    words = {other: _word(run, domain, arm, other) for other in run.arms if other != arm}
    against = words.get(str(run.reference), "")
    sign = {"better": "up", "worse": "down"}.get(against, "")
    best = bool(words) and all(word == "better" for word in words.values())
    return Cell(arm, plain(float(row["mean"])), spread, sign, best)


def _word(run: Results, domain: str, arm: str, other: str) -> str:
    found = find_difference(run, domain, arm, other)
    return "" if found is None else found.word


def _size(row: pd.Series[Any], nouns: Nouns) -> str:
    parts = [
        count(int(row[name]), noun)
        for name, noun in (("n_cases", nouns.case), ("n_groups", nouns.group))
        if name in row
    ]
    return ", ".join(parts)


def every_mean(run: Results) -> tuple[tuple[str, ...], ...]:
    """Return all rows of the summary as text.

    Domain, class, metric, arm, mean, interval, cases, absent cases. Of a single class
    the mean over classes says the same again, and is left out.

    Args:
        run: The results of a run.
    """
    rows = []
    table = run.summary
    if "class_name" in table and table["class_name"].nunique() == 2:
        table = table[table["class_name"] != ALL_CLASSES]
    for _, row in table.iterrows():
        mean, low, high = (float(row[name]) for name in ("mean", "low", "high"))
        if math.isfinite(mean):
            spread = f"{plain(low)} to {plain(high)}" if math.isfinite(low) else DASH
            rows.append(
                (
                    str(row["domain"]),
                    _class(row),
                    _metric(run, row),
                    str(row["arm"]),
                    plain(mean),
                    spread,
                    _count(row, "n_cases"),
                    _count(row, "n_absent"),
                )
            )
    return tuple(rows)


def every_difference(run: Results) -> tuple[tuple[str, ...], ...]:
    """Return all comparisons as text.

    Domain, metric, pair, difference, interval, better and worse cases, p and Holm's p.

    Args:
        run: The results of a run.
    """
    rows = []
    for _, row in run.comparisons.iterrows():
        value, low, high = (float(row[name]) for name in ("difference", "low", "high"))
        rows.append(
            (
                str(row["domain"]),
                _metric(run, row, direction=True),
                f"{row['arm']} {MINUS} {row['reference']}",
                signed(value),
                interval(low, high) if math.isfinite(low) else DASH,
                f"{_count(row, 'better')} / {_count(row, 'worse')}",
                probability(float(row.get("p_wilcoxon", math.nan))),
                probability(float(row.get("p_holm", math.nan))),
            )
        )
    return tuple(rows)


def _metric(run: Results, row: pd.Series[Any], *, direction: bool = False) -> str:
    """Return the label of a metric with its unit, as far as the scores of the domain have one."""
    known = METRICS.get(str(row["metric"]))
    if known is None:
        return str(row["metric"])
    said = [known.unit]
    if known.surface and known.unit:
        scores = run.scores
        rows = scores[scores["domain"] == row["domain"]] if "unit" in scores else scores.iloc[:0]
        said = [" or ".join(sorted(map(str, rows["unit"].dropna().unique())))] if len(rows) else []
    if direction and known.sign < 0:
        said.append("lower is better")
    words = ", ".join(filter(None, said))
    return f"{known.label} ({words})" if words else known.label


def _class(row: pd.Series[Any]) -> str:
    name = str(row.get("class_name", ALL_CLASSES))
    return "mean over classes" if name == ALL_CLASSES else name


def _count(row: pd.Series[Any], name: str) -> str:
    return str(int(row[name])) if name in row and math.isfinite(row[name]) else DASH
