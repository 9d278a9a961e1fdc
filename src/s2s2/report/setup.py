"""The set-up of a run: the data of every site, what its check found, and what each arm saw and cost."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from s2s2.arms import arm_of
from s2s2.core.timing import duration
from s2s2.data.reading.manifest import PARTS
from s2s2.report.numbers import DASH, TIMES, count, thousands
from s2s2.report.volumes.words import counted
from s2s2.run.results import Results

if TYPE_CHECKING:
    from s2s2.data.checking.report import CheckReport
    from s2s2.data.dataset import Dataset
    from s2s2.data.split import Split


@dataclass(frozen=True, slots=True)
class DataRow:
    """One tested domain, as text.

    Args:
        domain: Its name.
        home: Whether the networks were trained there.
        cases: Number of test cases, of volumes also of their slices.
        groups: Number of their groups.
        shapes: Smallest and largest image.
        classes: What the values in the mask files mean.
        findings: Errors and warnings of its check, empty where it was not checked.
    """

    domain: str
    home: bool
    cases: str
    groups: str
    shapes: str
    classes: str
    findings: str


def data_rows(
    run: Results, tests: Mapping[str, Dataset], checks: Mapping[str, CheckReport | None]
) -> tuple[DataRow, ...]:
    """Return what was tested on, domain by domain.

    Args:
        run: The results of a run.
        tests: The test cases of each domain on their own grid.
        checks: What the check of each domain's source found.
    """
    return tuple(
        DataRow(
            domain,
            domain == run.home,
            counted(dataset, groups=False),
            str(len({case.group for case in dataset.cases})),
            _shapes([dataset.original_shape(case) for case in dataset.cases], dataset.channels)
            + _depths(dataset),
            _classes(dataset),
            _findings(checks.get(domain)),
        )
        for domain, dataset in tests.items()
    )


def _shapes(shapes: list[tuple[int, int]], channels: int) -> str:
    if not shapes:
        return DASH
    small, large = min(shapes, key=math.prod), max(shapes, key=math.prod)
    text = f"{small[1]} {TIMES} {small[0]}"
    if small != large:
        text += f" to {large[1]} {TIMES} {large[0]}"
    return f"{text} px, {count(channels, 'channel')}"


def _depths(dataset: Dataset) -> str:
    """Say how many slices the volumes have; "" for flat images."""
    depths = [len(volume.cases) for volume in dataset.volumes if not volume.is_flat]
    if not depths:
        return ""
    few, many = min(depths), max(depths)
    return f", {f'{few} to {many}' if few < many else many} slices a volume"


def parts(home: Dataset | None, split: Split | None) -> dict[str, str]:
    """Return how many cases are in each part of the split, as text; empty where there is none.

    Args:
        home: All cases of the domain that was split; without them the ids are counted.
        split: Of these cases.
    """
    if split is None:
        return {}
    ids = {name: getattr(split, name) for name in PARTS}
    if home is None:
        return {name: str(len(each)) for name, each in ids.items()}
    return {name: counted(home.subset(each)) for name, each in ids.items()}


def _classes(dataset: Dataset) -> str:
    class_map = dataset.class_map
    pairs = zip(class_map.names, class_map.values, strict=True)
    return "; ".join(f"{name} = {_values(values)}" for name, values in pairs)


def _values(values: tuple[Any, ...]) -> str:
    texts = [
        "#{:02x}{:02x}{:02x}".format(*value) if isinstance(value, tuple) else str(value) for value in values
    ]
    return " or ".join(texts)


def _findings(check: CheckReport | None) -> str:
    if check is None:
        return ""
    return f"{count(len(check.errors), 'error')}, {count(len(check.warnings), 'warning')}"


@dataclass(frozen=True, slots=True)
class ArmRow:
    """What one arm saw and cost, as text."""

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


def fairness(run: Results) -> Fairness:
    """Return what each arm was shown and what it took, from the records of its trainings.

    Args:
        run: The results of a run.
    """
    rows = tuple(_arm_row(run, arm) for arm in run.arms)
    return Fairness(rows, _fair(run, [row.images for row in rows]))


def _arm_row(run: Results, arm: str) -> ArmRow:
    records = [run.folder.training(run.specs[arm], seed).record for seed in run.seeds]

    def numbers(name: str) -> list[float]:
        return [float(record[name]) for record in records if name in record]

    def whole(name: str) -> str:
        return ", ".join(thousands(int(number)) for number in sorted(set(numbers(name)))) or DASH

    times = numbers("seconds")
    time = duration(sum(times) / len(times)) if times else DASH
    return ArmRow(arm, arm_of(arm).summary, whole("images_seen"), whole("steps"), time)


def _fair(run: Results, images: list[str]) -> str:
    if len(run.arms) < 2:
        return "One arm was trained, so there is nothing to compare."
    if run.config is not None and run.config.train.as_published:
        if any(arm_of(run.specs[arm]).slaug for arm in run.arms):
            return (
                "Note: as in published comparisons, every arm took as many cases a step, so those that show "
                "more views of each saw more images. Part of a gain may come from that alone."
            )
        return (
            "Note: as in published comparisons, the baseline saw half as many images as the other arms. "
            "It is the easier opponent, and part of a gain over it may come from that alone."
        )
    if len(set(images)) > 1:
        return "Note: the arms did not see the same number of images, which may explain part of a difference."
    if images[0] == DASH:
        return "How many images each arm saw was not recorded."
    return (
        "Every arm saw the same number of images in the same number of steps; real and synthetic images both "
        "count."
    )
