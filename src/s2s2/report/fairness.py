"""What each arm was shown and what it cost: the ground on which they are compared."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from s2s2.arms import arm_of
from s2s2.core.timing import duration
from s2s2.report.numbers import DASH, thousands
from s2s2.report.reading import Run
from s2s2.report.settings import Settings
from s2s2.run.names import arm_folder


@dataclass(frozen=True, slots=True)
class ArmRow:
    """What one arm saw and cost."""

    arm: str
    shows: str
    images: str
    steps: str
    time: str


@dataclass(frozen=True, slots=True)
class Fairness:
    """The arms side by side, and whether their comparison is a fair one."""

    rows: tuple[ArmRow, ...]
    verdict: str


def fairness(run: Run, manifest: Mapping[str, Any]) -> Fairness:
    """Return what each arm was shown and what it took.

    Args:
        run: The tables of a run.
        manifest: ``images_seen`` and ``as_published`` are read.
    """
    seen = {arm: int(number) for arm, number in (manifest.get("images_seen") or {}).items()}
    records = {arm: _fits(run.folder, spec) for arm, spec in run.specs.items()}
    rows = []
    for arm in run.arms:
        times = [float(fit["seconds"]) for fit in records[arm] if "seconds" in fit]
        steps = {int(fit["steps"]) for fit in records[arm] if "steps" in fit}
        number = seen.get(run.specs[arm]) or next(
            (int(fit["images_seen"]) for fit in records[arm] if "images_seen" in fit), 0
        )
        rows.append(
            ArmRow(
                arm,
                arm_of(arm).summary,
                thousands(number) if number else DASH,
                ", ".join(map(thousands, sorted(steps))) or _steps(manifest),
                duration(sum(times) / len(times)) if times else DASH,
            )
        )
    return Fairness(tuple(rows), _fair(run, manifest, [row.images for row in rows]))


def _steps(manifest: Mapping[str, Any]) -> str:
    steps = Settings(manifest).get("steps")
    return thousands(int(steps)) if steps else DASH


def _fits(folder: Path, arm: str) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted(arm_folder(folder, arm).glob("seed*/fit.json"))]


def _fair(run: Run, manifest: Mapping[str, Any], images: list[str]) -> str:
    if len(run.arms) < 2:
        return "One arm was trained, so there is nothing to be fair to."
    if manifest.get("as_published"):
        return (
            "Mind: as in published comparisons, the baseline saw half as many images as the other arms. "
            "It is the easier opponent, and part of a gain over it may come from that alone."
        )
    if len(set(images)) > 1:
        return "Mind: the arms did not see the same number of images, which may explain part of a difference."
    if images[0] == DASH:
        return "How many images each arm saw was not recorded."
    return (
        "Every arm saw the same number of images in the same number of steps; real and synthetic both count."
    )
