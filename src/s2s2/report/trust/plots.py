"""The audit's three figures and how to read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from s2s2.report.figures import CurvePanel
from s2s2.report.numbers import joined
from s2s2.report.palette import REAL, WHOLE, ArmStyle
from s2s2.report.trust.figures import Values, dispersion_plot, distributions
from s2s2.report.trust.table import SIGMA, PartFigures

if TYPE_CHECKING:
    from s2s2.audit import Audit


def audit_plots(audit: Audit, depth: int, styles: Mapping[str, ArmStyle]) -> tuple[CurvePanel, ...]:
    """Draw agreement, novelty and dispersion; what was not measured is left out.

    Args:
        audit: Its two tables are read.
        depth: Copies a mask.
        styles: Of real images and of each generator.
    """
    copies, cases, parts = audit.copies, audit.cases, list(audit.record["parts"])

    def series(column: str, real: str) -> dict[str, Values]:
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
                "How far the features of a mask's copies scatter against those of real images, one dot a "
                "mask",
            ),
        ),
    )
    return tuple(CurvePanel(title, hint, svg) for title, hint, svg in drawn if svg)


def how_to_read(parts: Sequence[PartFigures]) -> str:
    """Explain the figures, and what a generator's promise changes in them.

    Args:
        parts: Figures of each generator.
    """
    words = (
        "How to read it. First: outlines hold the copies of each generator, the area the real images; "
        "heights are shares. An outline that reaches further left than the area holds copies that may show "
        "another mask. Second: the distance to the nearest real image, over that to the nearest of another "
        "group. Far left of the area lie copies that may be nearly a training image. Third: one dot a "
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
            f" {joined(named['geometry'])} keeps the geometry of the real image by design, so its copies "
            "lie near their own image whatever their style; they are judged by the distance of features, "
            "not by structural similarity."
        )
    return words
