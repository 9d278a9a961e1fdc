"""Whether a stack can be trusted, in words that a user can act upon."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

Level = Literal["good", "look", "poor"]

WEAK = 0.6
"""Below this share of wrong masks that judges would find, their silence says little."""
MANY = (0.1, 0.3)
"""Share of marked copies from which a look is due, and from which the stack is poor."""


def verdict(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the level and the sentences of an audit.

    Args:
        record: Its figures: stack, marks, real, whole, parts, power.

    Returns:
        "level": "good", "look" or "poor"; "sentences": the first is the verdict itself.
    """
    total = record["stack"]["copies"]
    share = record["marks"]["copies"] / max(total, 1)
    level: Level = "good" if share < MANY[0] else "look" if share < MANY[1] else "poor"
    weak = record["power"] < WEAK and any("exact" not in part["traits"] for part in record["parts"].values())
    if level == "good" and weak:
        level = "look"
    return {
        "level": level,
        "sentences": [
            _opening(level, record["marks"]["copies"], total),
            _fidelity(record),
            _memory(record),
            *([_weak(record["power"])] if weak else []),
            *_variety(record),
            *_condition(record),
        ],
    }


def _opening(level: Level, marked: int, total: int) -> str:
    counted = f"{marked} of {total} copies are marked"
    return {
        "good": f"This stack can be trained on: {counted}.",
        "look": f"Look at this stack before you train on it: {counted}.",
        "poor": f"Do not train on this stack as it is: {counted}.",
    }[level]


def _fidelity(record: Mapping[str, Any]) -> str:
    agreement, real = record["whole"]["agreement"]["mean"], record["real"]["agreement"]["mean"]
    return (
        f"Judges that never saw the patient read the masks from the copies with a mean Dice of "
        f"{agreement:.3f}, from the real images with {real:.3f}; {record['marks']['unfaithful']} copies do "
        "not show their mask."
    )


def _memory(record: Mapping[str, Any]) -> str:
    marks, near = record["marks"]["memorised"], record["whole"]["near_duplicates"]
    kept = [name for name, part in record["parts"].items() if "geometry" in part["traits"]]
    words = (
        f"{marks} copies are nearly a training image, {near} of all are as near as one that was saved again."
    )
    if kept:
        words += (
            f" Copies of {' and '.join(kept)} keep the geometry of the real image by design: they are judged "
            "by the distance of features, not by structural similarity."
        )
    return words


def _weak(power: float) -> str:
    return (
        f"These judges would find only {100 * power:.0f} % of copies with a mask of another patient: what "
        "they leave unmarked is not shown to be right. More --audit.steps, a larger --audit.size or more "
        "training cases make better judges."
    )


def _variety(record: Mapping[str, Any]) -> list[str]:
    inside, between = record["whole"]["diversity"]["mean"], record["real"]["distance"]["mean"]
    if inside is None or between is None:
        return []
    return [
        f"Copies of one mask differ from each other by {100 * inside / between:.0f} % of what real images of "
        "two patients do."
    ]


def _condition(record: Mapping[str, Any]) -> list[str]:
    found = record["whole"]["dispersion"]
    if found["holds"]["mean"] is None:
        return []
    return [
        f"The method's condition sigma_g / sqrt(depth) <= sigma holds for {100 * found['holds']['mean']:.0f} "
        f"% of the cases (sigma_g {found['sigma_g']['mean']:.3f}, sigma {found['sigma']['mean']:.3f}, depth "
        f"{record['stack']['depth']})."
    ]
