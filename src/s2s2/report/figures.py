"""The figures: paired differences, and training over time.

Hand-made SVG: it takes the page's letters and colours, in the light, in the dark
and in print, and a screen reader finds the numbers beside it as text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from s2s2.objective import Collapse
from s2s2.report.axes import Scale, chart, mark, scale, vertical
from s2s2.report.numbers import MINUS, interval, probability, signed
from s2s2.report.palette import ArmStyle
from s2s2.report.verdict import Difference, Word, difference
from s2s2.run.results import Results

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class ForestRow:
    """One line of the forest plot.

    Args:
        label: Which arm against which.
        figures: Difference and interval as text.
        p: Holm-corrected p value as text.
        word: What is supported.
        svg: Interval and point on the scale that all lines share.
    """

    label: str
    figures: str
    p: str
    word: Word
    svg: str


@dataclass(frozen=True, slots=True)
class Forest:
    """Paired differences by domain, and the axis below them."""

    blocks: tuple[tuple[str, tuple[ForestRow, ...]], ...]
    axis: str


def forest(run: Results, styles: dict[str, ArmStyle]) -> Forest | None:
    """Draw every compared pair of arms on every domain, or return None if there is none.

    Args:
        run: The results of a run.
        styles: Of the arms.
    """
    found = {domain: _pairs(run, domain) for domain in run.domains}
    rows = [row for pairs in found.values() for row in pairs]
    if not rows:
        return None
    ends = scale(min(0.0, *(row.low for row in rows)), max(0.0, *(row.high for row in rows)), count=4)
    blocks = tuple(
        (domain, tuple(_forest_row(row, ends, styles) for row in pairs))
        for domain, pairs in found.items()
        if pairs
    )
    return Forest(blocks, _axis(ends))


def _pairs(run: Results, domain: str) -> list[Difference]:
    rows = run.overall(run.comparisons, domain)
    found = [difference(row) for _, row in rows.iterrows()]
    known = [row for row in found if np.isfinite([row.value, row.low, row.high]).all()]
    order = {arm: index for index, arm in enumerate(run.arms)}
    last = len(order)
    return sorted(known, key=lambda row: (order.get(row.reference, last), order.get(row.arm, last)))


def _forest_row(row: Difference, ends: Scale, styles: dict[str, ArmStyle]) -> ForestRow:
    style = styles[row.arm]
    low, high = ends.place(row.low), ends.place(row.high)
    colour = f'style="--c:var({style.variable})"'
    svg = (
        f'<svg class="forest-line" aria-hidden="true">{vertical(ends.place(0), "zero")}'
        f'<line class="whisker" {colour} x1="{low}%" x2="{high}%" y1="50%" y2="50%"/>'
        f"{mark(ends.place(row.value), '50%', style)}</svg>"
    )
    text = f"{signed(row.value)} ({interval(row.low, row.high)})"
    return ForestRow(f"{row.arm} {MINUS} {row.reference}", text, probability(row.p_holm), row.word, svg)


def _axis(ends: Scale) -> str:
    parts = []
    for tick in ends.ticks:
        x = ends.place(tick)
        anchor = "start" if x < 3 else "end" if x > 97 else "middle"
        parts.append(f'<line class="tick" x1="{x}%" x2="{x}%" y1="0" y2="5"/>')
        parts.append(f'<text x="{x}%" y="18" text-anchor="{anchor}">{signed(tick, ends.digits)}</text>')
    return f'<svg class="forest-axis" aria-hidden="true">{"".join(parts)}</svg>'


@dataclass(frozen=True, slots=True)
class CurvePanel:
    """One quantity over the training steps.

    Args:
        title: What is shown.
        hint: Which way is better, and anything a reader must know.
        svg: Mean over seeds as a line, smallest to largest seed as a band.
    """

    title: str
    hint: str
    svg: str


_CURVES = (
    ("validation_dice", "Validation Dice", "higher is better"),
    ("total", "Total loss", "terms differ between arms, so heights do not compare"),
    ("segmentation", "Segmentation loss, real image", "lower is better"),
    ("fused", "Segmentation loss, fused view of the real image", "lower is better"),
    ("synthetic", "Segmentation loss, second view", "lower is better"),
    ("encoder", "Encoder consistency", "distance between the features of the two views"),
    ("decoder", "Decoder consistency", "distance between the features of the two views"),
    *(
        (f"{side}_{name}", f"{side.capitalize()} features: {title}", hint)
        for side in ("encoder", "decoder")
        for name, title, hint in (
            ("common", "common component", "at 1 all features are one vector"),
            ("placed", "same in unrelated images", "at 1 features tell their position alone"),
            ("rank", "effective rank", "in how many directions they vary"),
            ("relative", "distance of pairs over unrelated images", "at 1 a pair is no closer than any two"),
        )
    ),
)
_SHARES = ("validation_dice", "agreement")
_POINTS = 120


def curves(
    run: Results, styles: dict[str, ArmStyle], *, unweighted: Sequence[str] = ()
) -> tuple[CurvePanel, ...]:
    """Draw what was logged while training; quantities that are absent or always 0 are left out.

    Args:
        run: The results of a run.
        styles: Of the arms.
        unweighted: Terms that were logged with the weight 0; what is measured of their features is left out.
    """
    panels = []
    for column, title, hint in _CURVES:
        metered = column.partition("_")[2] in Collapse._fields
        if column in run.history and not (metered and column.partition("_")[0] in unweighted):
            rows = run.history[["arm", "seed", "step", column]].dropna()
            active = rows.groupby("arm")[column].transform(lambda values: bool((values != 0).any()))
            rows = rows[active.astype(bool)] if len(rows) else rows
            if len(rows):
                words = "only watched: its weight is 0" if column in unweighted else hint
                drawn = {arm: style for arm, style in styles.items() if arm in set(rows["arm"])}
                label = f"{title} over training steps, one line an arm"
                panels.append(CurvePanel(title, words, line_chart(rows, column, drawn, label)))
    return tuple(panels)


def line_chart(
    rows: pd.DataFrame,
    column: str,
    styles: dict[str, ArmStyle],
    label: str,
    *,
    point: tuple[float, float] | None = None,
) -> str:
    """Draw a quantity over the steps: mean over seeds as a line, smallest to largest as a band.

    Args:
        rows: With the columns step, seed, arm and the quantity, none of it NaN.
        column: The quantity; the scale of a loss holds 0.
        styles: Of the arms, each of which has rows.
        label: What the figure shows, for those who cannot see it.
        point: Step and value to be marked.
    """
    bands = {arm: _band(rows[rows["arm"] == arm], column) for arm in styles}
    across = scale(0, float(rows["step"].max()), count=3)
    values = np.concatenate([band[["low", "high"]].to_numpy().ravel() for band in bands.values()])
    # A single wild first step must not flatten the rest.
    top = float(np.quantile(values, 0.99)) if len(values) > 200 else float(values.max())
    least = float(values.min())
    up = scale(least if column in _SHARES else min(least, 0.0), top, count=4)
    lines = "".join(_band_paths(band, across, up, styles[arm]) for arm, band in bands.items())
    above = ""
    if point is not None:
        style = next(iter(styles.values()))
        above = mark(across.place(point[0]), f"{100 - up.place(point[1]):.2f}%", style)
    return chart(across, up, lines, label, above=above)


def _band(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    bins = max(1, -(-rows["step"].nunique() // _POINTS))
    rank = rows["step"].rank(method="dense").astype(int) - 1
    thinned = rows.assign(bin=rank // bins).groupby(["seed", "bin"])[["step", column]].mean().reset_index()
    return thinned.groupby("bin").agg(
        step=("step", "mean"), mean=(column, "mean"), low=(column, "min"), high=(column, "max")
    )


def _band_paths(band: pd.DataFrame, across: Scale, up: Scale, style: ArmStyle) -> str:
    def points(column: str) -> list[str]:
        pairs: Any = zip(band["step"], band[column], strict=True)
        return [f"{across.place(x)} {100 - up.place(y):.2f}" for x, y in pairs]

    colour = f'style="--c:var({style.variable})"'
    dash = f' stroke-dasharray="{style.dash}"' if style.dash else ""
    area = "M" + "L".join([*points("high"), *reversed(points("low"))]) + "Z"
    return (
        f'<path class="band" {colour} d="{area}"/>'
        f'<path class="line" {colour}{dash} d="M{"L".join(points("mean"))}"/>'
    )
