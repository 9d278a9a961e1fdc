"""The three figures of an audit: agreement, novelty and dispersion of copies beside real images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from s2s2.core.types import Floats
from s2s2.report.axes import Scale, attribute, chart, scale
from s2s2.report.figures import CurvePanel
from s2s2.report.numbers import joined, plain
from s2s2.report.palette import REAL, WHOLE, ArmStyle
from s2s2.report.trust.table import SIGMA, Part

if TYPE_CHECKING:
    from s2s2.audit import Audit

_FEWEST, _MOST = 6, 30


def audit_plots(audit: Audit, depth: int, styles: Mapping[str, ArmStyle]) -> tuple[CurvePanel, ...]:
    """Draw agreement, novelty and dispersion; what was not measured is left out.

    Args:
        audit: Its two tables are read.
        depth: Copies per mask.
        styles: Of real images and of each generator.
    """
    copies, cases, parts = audit.copies, audit.cases, list(audit.record["parts"])

    def series(column: str, real: str) -> dict[str, Floats]:
        by_part = {part: copies.loc[copies["part"] == part, column] for part in parts}
        columns = {REAL: cases[real], **by_part}
        return {name: values.dropna().to_numpy(float) for name, values in columns.items()}

    drawn = (
        (
            "Do they show their mask?",
            "Dice of judges that never saw the group",
            distributions(
                series("agreement", "real_agreement"),
                styles,
                "How well judges read the masks of copies and of held-out real images, as distributions",
            ),
        ),
        (
            "Are they new?",
            "nearest real image to the next group, d1/d2",
            distributions(
                series("ratio", "real_ratio"),
                styles,
                "Ratio of first to second distance of copies and of real images, as distributions",
            ),
        ),
        (
            "Do they scatter little enough?",
            f"{SIGMA}g of copies upwards, {SIGMA} of real images to the right",
            dispersion_plot(
                cases["sigma"].to_numpy(float),
                cases["sigma_g"].to_numpy(float),
                depth,
                styles[WHOLE if len(parts) > 1 else parts[0]],
                "How far the features of a mask's copies scatter against those of real images, one dot per "
                "mask",
            ),
        ),
    )
    return tuple(CurvePanel(title, hint, svg) for title, hint, svg in drawn if svg)


def how_to_read(parts: Sequence[Part]) -> str:
    """Explain the figures, and what a generator's promise changes in them.

    Args:
        parts: Figures of each generator.
    """
    words = (
        "How to read it. First: outlines hold the copies of each generator, the area the real images; "
        "heights are shares. An outline that reaches further left than the area holds copies that may show "
        "another mask. Second: the distance to the nearest real image, over that to the nearest of another "
        "group. Far left of the area lie copies that may be nearly a training image. Third: one dot per "
        "mask. Below the solid line a stack of this depth scatters less than real images of like masks, "
        f"{SIGMA}g/\N{SQUARE ROOT}n \N{LESS-THAN OR EQUAL TO} {SIGMA}, which is what the method asks for; "
        "on the dashed line a single copy does."
    )
    named = {trait: [part.name for part in parts if trait in part.traits] for trait in ("exact", "geometry")}
    if named["exact"]:
        words += (
            f" The masks of {joined(named['exact'])} are exact by construction: low Dice there means copies "
            "that are hard to read, and none is marked for it."
        )
    if named["geometry"]:
        words += (
            f" Copies of {joined(named['geometry'])} keep the geometry of the real image by design, so they "
            "lie near their own image whatever their style; they are judged by the distance of features, "
            "not by structural similarity."
        )
    return words


def distributions(series: Mapping[str, Floats], styles: Mapping[str, ArmStyle], label: str) -> str:
    """Draw how values are distributed, one outline a name; real images as a filled area.

    Every outline encloses the same area's worth of shares: a bin's height is the share of
    the name's own values in it, so that few and many values compare.

    Args:
        series: Finite values by name; empty ones are left out.
        styles: How each name is drawn.
        label: What the figure shows, for those who cannot see it.
    """
    known = {name: values for name, values in series.items() if len(values)}
    if not known:
        return ""
    every = np.concatenate(list(known.values()))
    across = scale(float(every.min()), float(every.max()), count=4)
    fewest = min(len(values) for values in known.values())
    edges = np.linspace(across.low, across.high, int(np.clip(2 * np.sqrt(fewest), _FEWEST, _MOST)) + 1)
    shares = {
        name: np.histogram(np.clip(values, across.low, across.high), edges)[0] / len(values)
        for name, values in known.items()
    }
    up = scale(0.0, max(float(share.max()) for share in shares.values()), count=3)
    return chart(across, up, "".join(_steps(edges, shares[n], across, up, styles[n]) for n in known), label)


def _steps(edges: Floats, shares: Floats, across: Scale, up: Scale, style: ArmStyle) -> str:
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


def dispersion_plot(real: Floats, copies: Floats, depth: int, style: ArmStyle, label: str) -> str:
    """Draw sigma_g against sigma, one dot per mask, with the lines of equality and of the condition.

    Args:
        real: sigma of each mask, over real images of like masks.
        copies: sigma_g of each mask, over its copies.
        depth: Copies per mask; the condition is sigma_g <= sqrt(depth) * sigma.
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
