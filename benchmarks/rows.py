"""One figure of a benchmark."""

from __future__ import annotations

from typing import Any


def row(name: str, figure: float, unit: str, goal: float | None, *, at_most: bool = False) -> dict[str, Any]:
    """Return a row of the table; without a goal it is there to be compared with.

    Args:
        name: What was measured.
        figure: The measurement.
        unit: Its unit.
        goal: What it should be at least.
        at_most: Whether it should be at most that instead.
    """
    reached = None if goal is None else figure <= goal if at_most else figure >= goal
    return {"name": name, "figure": round(figure, 3), "unit": unit, "goal": goal, "reached": reached}
