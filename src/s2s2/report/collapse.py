"""Sentences on consistencies that ask for nothing, because all features are alike."""

from __future__ import annotations

from collections.abc import Sequence

from s2s2.arms import arm_of
from s2s2.objective.sides import SIDES
from s2s2.report.numbers import plain
from s2s2.run.results import Results

ALIKE = 0.9
"""So much of the features that unrelated images share at a position leaves next to nothing to agree on."""
CLOSE = 0.5
"""A pair at this share of the distance of unrelated images is hardly closer than they are."""


def empty_terms(run: Results, *, unweighted: Sequence[str] = ()) -> tuple[str, ...]:
    """Name each arm and side whose consistency asks for nothing, by medians over the later half of the steps.

    Args:
        run: The results of a run.
        unweighted: Terms that were logged with the weight 0.
    """
    found = []
    for arm in run.arms:
        for side in SIDES if arm_of(run.specs[arm]).consistency else ():
            names = [f"{side}_placed", f"{side}_relative"]
            if side in unweighted or not {*names} <= {*run.history}:
                continue
            rows = run.history[run.history["arm"] == arm]
            late = rows[rows["step"] > rows["step"].max() / 2]
            placed, relative = (float(late[name].median()) for name in names)
            if placed >= ALIKE and relative >= CLOSE:
                found.append(
                    f"{arm}: the {side} features of any two images are as close as those of a pair: the term "
                    "asks for nothing. (Distance of pairs over that of unrelated images "
                    f"{plain(relative, 2)}; share of the features that is the same in unrelated images "
                    f"{plain(placed, 2)}.)"
                )
    return tuple(found)
