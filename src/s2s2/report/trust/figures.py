"""The audit's figures: agreement, novelty and spread of the copies beside those of real images."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from s2s2.core.types import Floats
from s2s2.report.axes import Scale, attribute, chart, scale
from s2s2.report.numbers import plain
from s2s2.report.palette import REAL, ArmStyle

Values = Floats

_FEWEST, _MOST = 6, 30


def distributions(
    series: Mapping[str, Values], styles: Mapping[str, ArmStyle], label: str, *, top: float | None = None
) -> str:
    """Draw how values are distributed, one outline a name; real images as a filled area.

    Every outline encloses the same area's worth of shares: a bin's height is the share of
    the name's own values in it, so that few and many values compare.

    Args:
        series: Finite values by name; empty ones are left out.
        styles: How each name is drawn.
        label: What the figure shows, for those who cannot see it.
        top: Values above it count into the last bin; None for none.
    """
    known = {name: values for name, values in series.items() if len(values)}
    if not known:
        return ""
    every = np.concatenate(list(known.values()))
    across = scale(float(every.min()), float(every.max() if top is None else min(top, every.max())), count=4)
    fewest = min(len(values) for values in known.values())
    edges = np.linspace(across.low, across.high, int(np.clip(2 * np.sqrt(fewest), _FEWEST, _MOST)) + 1)
    shares = {
        name: np.histogram(np.clip(values, across.low, across.high), edges)[0] / len(values)
        for name, values in known.items()
    }
    up = scale(0.0, max(float(share.max()) for share in shares.values()), count=3)
    return chart(across, up, "".join(_steps(edges, shares[n], across, up, styles[n]) for n in known), label)


def _steps(edges: Values, shares: Values, across: Scale, up: Scale, style: ArmStyle) -> str:
    heights = [100 - up.place(float(share)) for share in shares]
    x = [across.place(float(edge)) for edge in edges]
    corners = [f"{x[0]} 100"]
    for index, height in enumerate(heights):
        corners += [f"{x[index]} {height:.2f}", f"{x[index + 1]} {height:.2f}"]
    corners.append(f"{x[-1]} 100")
    colour = f'style="--c:var({style.variable})"'
    dash = f' stroke-dasharray="{style.dash}"' if style.dash else ""
    path = "M" + "L".join(corners)
    area = f'<path class="band" {colour} d="{path}Z"/>' if style.name == REAL else ""
    return f'{area}<path class="line" {colour}{dash} d="{path}"/>'


def dispersion_plot(real: Values, copies: Values, depth: int, style: ArmStyle, label: str) -> str:
    """Draw sigma_g against sigma, one dot a mask, with the lines of equality and of the condition.

    Args:
        real: sigma of each mask, over real images of like masks.
        copies: sigma_g of each mask, over its copies.
        depth: Copies a mask; the condition is sigma_g <= sqrt(depth) * sigma.
        style: How the dots are drawn.
        label: What the figure shows, for those who cannot see it.
    """
    known = np.isfinite(real) & np.isfinite(copies)
    if not known.any():
        return ""
    real, copies = real[known], copies[known]
    ends = scale(0.0, float(max(real.max(), copies.max())), count=4)
    dots = "".join(
        f'<circle class="dot" style="--c:var({style.variable})" cx="{ends.place(float(x))}%" '
        f'cy="{100 - ends.place(float(y)):.2f}%" r="3.2"/>'
        for x, y in zip(real, copies, strict=True)
    )
    texts = "".join(
        f'<text x="{ends.place(tick)}%" y="100%" dy="14" text-anchor="middle">'
        f"{plain(tick, ends.digits)}</text>"
        f'<text x="0" dx="-6" y="{100 - ends.place(tick):.2f}%" dy="4" text-anchor="end">'
        f"{plain(tick, ends.digits)}</text>"
        for tick in ends.ticks
    )
    steep = 100 / np.sqrt(depth)
    return (
        f'<svg class="scatter" role="img" aria-label="{attribute(label)}">'
        f'<rect class="frame" width="100%" height="100%"/>'
        f'<line class="equal" x1="0" y1="100%" x2="100%" y2="0"/>'
        f'<line class="limit" x1="0" y1="100%" x2="{steep:.2f}%" y2="0"/>{dots}{texts}</svg>'
    )
