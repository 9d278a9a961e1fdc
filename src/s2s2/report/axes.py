"""Axes of the SVG figures: scales, ticks, grid lines and marks.

Positions are percentages and sizes are pixels, so a figure takes the width of its
column while its letters keep theirs: readable on a phone and on paper.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from s2s2.report.numbers import plain
from s2s2.report.palette import ArmStyle, mark_path

_NARROWEST = 1e-9
"""What is nearer than this is one value: ticks are rounded to ten decimals."""


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear scale onto 0..100 %.

    Args:
        low: Value at the start.
        high: Value at the end, above `low`.
        ticks: Values to be marked.
    """

    low: float
    high: float
    ticks: tuple[float, ...]

    def place(self, value: float) -> float:
        """Return the position of a value in percent, held within the scale."""
        share = (value - self.low) / (self.high - self.low)
        return round(100 * min(1.0, max(0.0, share)), 2)

    @property
    def digits(self) -> int:
        """Decimals that tell the ticks apart."""
        step = self.ticks[1] - self.ticks[0] if len(self.ticks) > 1 else self.high - self.low
        # 0.025 needs one decimal more than its power of ten says.
        return next((digits for digits in range(7) if math.isclose(round(step, digits), step)), 7)


def scale(low: float, high: float, *, count: int = 5) -> Scale:
    """Return a scale with round ticks that holds both values.

    Args:
        low: Smallest value shown.
        high: Largest value shown.
        count: About how many ticks are wanted.

    Example:
        >>> scale(-0.03, 0.081).ticks
        (-0.05, -0.025, 0.0, 0.025, 0.05, 0.075, 0.1)
        >>> scale(0.5, 0.5).place(0.5)
        50.0
        >>> scale(0.0, 2e-16).place(2e-16)
        50.0
    """
    if not high - low > _NARROWEST:
        low, high = low - 0.05, high + 0.05
    step = _round_step((high - low) / count)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = tuple(round(index * step, 10) for index in range(first, last + 1))
    return Scale(ticks[0], ticks[-1], ticks)


def _round_step(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    return float(next(factor for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * 0.999) * power)


def vertical(x: float, name: str) -> str:
    """Return a line from top to bottom at `x` percent."""
    return f'<line class="{name}" x1="{x}%" x2="{x}%" y1="0" y2="100%"/>'


def horizontal(y: float, name: str) -> str:
    """Return a line from left to right at `y` percent."""
    return f'<line class="{name}" x1="0" x2="100%" y1="{y}%" y2="{y}%"/>'


def mark(x: float, y: str, style: ArmStyle) -> str:
    """Return the arm's point at `x` percent and `y` (a CSS length)."""
    colour = f'style="--c:var({style.variable})"'
    return (
        f'<svg x="{x}%" y="{y}" overflow="visible"><path class="mark" {colour} d="{mark_path(style)}"/></svg>'
    )


def chart(across: Scale, up: Scale, paths: str, label: str, *, above: str = "") -> str:
    """Return a wide figure: lines on a grid, numbers to the left and below.

    Args:
        across: Scale of what runs to the right.
        up: Scale of what runs upwards.
        paths: SVG paths in percent of the figure, downwards; they are stretched with it.
        label: What the figure shows, for those who cannot see it.
        above: SVG pieces with lengths in percent of their own, drawn over the paths.
    """
    grid = "".join(horizontal(100 - up.place(tick), "grid") for tick in up.ticks)
    heights = {100 - up.place(tick): plain(tick, up.digits) for tick in up.ticks}
    texts = "".join(
        f'<text x="0" dx="-6" y="{y:.2f}%" dy="4" text-anchor="end">{text}</text>'
        for y, text in heights.items()
    ) + "".join(
        f'<text x="{across.place(tick)}%" y="100%" dy="15" text-anchor="middle">'
        f"{plain(tick, across.digits)}</text>"
        for tick in across.ticks
    )
    return (
        f'<svg class="curve" role="img" aria-label="{attribute(label)}">{grid}'
        f'<svg viewBox="0 0 100 100" preserveAspectRatio="none">{paths}</svg>{above}{texts}</svg>'
    )


def attribute(text: str) -> str:
    """Return a text that may stand between the quotes of an attribute.

    Example:
        >>> attribute('a "b" & <c>')
        'a &quot;b&quot; &amp; &lt;c>'
    """
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
