"""The figure of single cases: the score of each in one arm against that in the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from s2s2.core.types import Floats
from s2s2.report.axes import attribute, horizontal, vertical
from s2s2.report.palette import ArmStyle
from s2s2.report.verdict import find_difference
from s2s2.report.volumes.words import Nouns
from s2s2.run.results import Results

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class ScatterPanel:
    """One domain, case by case.

    Args:
        domain: Its name.
        svg: Points and the line of equality.
        better, worse, ties: Numbers of cases above, below and on the line.
        size: Number of volumes and patients; empty where cases are flat images.
    """

    domain: str
    svg: str
    better: int
    worse: int
    ties: int
    size: str = ""


def scatter(
    run: Results, styles: dict[str, ArmStyle], nouns: Nouns | None = None
) -> tuple[ScatterPanel, ...]:
    """Draw each case's score in both arms, mean over seeds, one panel a domain.

    A dot of a volume says, when a pointer rests on it, which volume of which patient it is.

    Args:
        run: The results of a run.
        styles: Of the arms.
        nouns: What the cases and their groups are called.
    """
    if run.reference is None:
        return ()
    values = run.case_values()
    table = values.pivot_table(index=["domain", "case"], columns="arm", values="dice", aggfunc="mean")
    pairs = table[[run.reference, run.main]].dropna()
    places = pairs.index.get_level_values("domain")
    return tuple(
        _panel(run, domain, pairs[places == domain].droplevel("domain"), styles, nouns or Nouns())
        for domain in run.domains
        if (places == domain).any()
    )


def _panel(
    run: Results, domain: str, pairs: pd.DataFrame, styles: dict[str, ArmStyle], nouns: Nouns
) -> ScatterPanel:
    before, after = pairs.iloc[:, 0].to_numpy(float), pairs.iloc[:, 1].to_numpy(float)
    better, worse = _counts(run, domain, after - before)
    groups = _groups(run, domain) if nouns.volumes else {}
    said = [_said(str(case), groups, nouns) for case in pairs.index]
    dots = "".join(
        _dot(x, y, styles[run.main if y > x else str(run.reference)], x == y, words)
        for x, y, words in zip(before, after, said, strict=True)
    )
    grid = "".join(vertical(tick, "grid") + horizontal(tick, "grid") for tick in (25, 50, 75))
    texts = "".join(
        f'<text x="{value}%" y="100%" dy="14" text-anchor="{anchor}">{label}</text>'
        f'<text x="0" dx="-6" y="{100 - value}%" dy="4" text-anchor="end">{label}</text>'
        for value, label, anchor in ((0, "0", "middle"), (50, "0.5", "middle"), (100, "1", "middle"))
    )
    title = f"{run.main} against {run.reference} on {domain}: {better} {nouns.case}s better, {worse} worse."
    svg = (
        f'<svg class="scatter" role="img" aria-label="{attribute(title)}">{grid}'
        f'<rect class="frame" width="100%" height="100%"/>'
        f'<line class="equal" x1="0" y1="100%" x2="100%" y2="0"/>{dots}{texts}</svg>'
    )
    size = nouns.sized(len(pairs), len({groups[str(case)] for case in pairs.index})) if groups else ""
    return ScatterPanel(domain, svg, better, worse, max(0, len(pairs) - better - worse), size)


def _counts(run: Results, domain: str, gains: Floats) -> tuple[int, int]:
    """Return how many cases are better and worse, as the comparisons count them where they do."""
    counted = find_difference(run, domain, run.main, str(run.reference))
    # The comparisons' own counts where they are given, so that text and table agree.
    if counted is None or counted.better is None or counted.worse is None:
        return int((gains > 0).sum()), int((gains < 0).sum())
    return counted.better, counted.worse


def _groups(run: Results, domain: str) -> dict[str, str]:
    """Return the group of each case of a domain, empty where the scores do not say."""
    if "group" not in run.scores:
        return {}
    rows = run.scores[run.scores["domain"] == domain]
    return {str(case): str(group) for case, group in zip(rows["case"], rows["group"], strict=True)}


def _said(case: str, groups: dict[str, str], nouns: Nouns) -> str:
    group = groups.get(case)
    if group is None or group == case:
        return case if groups else ""
    return f"{case}, {nouns.group} {group}"


def _dot(x: float, y: float, style: ArmStyle, tie: bool, words: str) -> str:
    colour = "" if tie else f' style="--c:var({style.variable})"'
    place = f'cx="{100 * x:.1f}%" cy="{100 - 100 * y:.1f}%" r="3.2"'
    if not words:
        return f'<circle class="dot"{colour} {place}/>'
    return f'<circle class="dot"{colour} {place}><title>{attribute(words)}</title></circle>'
