"""The data of a run: what was tested on at each site, and how home was divided."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from s2s2.report.numbers import DASH, TIMES, count
from s2s2.report.reading import Run

if TYPE_CHECKING:
    from s2s2.data.dataset import Dataset


@dataclass(frozen=True, slots=True)
class DataRow:
    """One tested domain."""

    domain: str
    home: bool
    cases: str
    groups: str
    shapes: str
    classes: str


def data_rows(run: Run, datasets: Mapping[str, Dataset]) -> tuple[DataRow, ...]:
    """Return what was tested on, domain by domain.

    Args:
        run: The tables of a run.
        datasets: The test cases of each domain on their own grid.
    """
    rows = []
    for domain, dataset in datasets.items():
        shapes = [dataset.original_shape(case) for case in dataset.cases]
        groups = {case.group for case in dataset.cases}
        rows.append(
            DataRow(
                domain,
                domain == run.home,
                str(len(shapes)),
                str(len(groups)),
                _shapes(shapes, dataset.channels),
                _classes(dataset),
            )
        )
    return tuple(rows)


def _shapes(shapes: list[tuple[int, int]], channels: int) -> str:
    if not shapes:
        return DASH
    small, large = min(shapes, key=math.prod), max(shapes, key=math.prod)
    text = f"{small[1]} {TIMES} {small[0]}"
    if small != large:
        text += f" to {large[1]} {TIMES} {large[0]}"
    return f"{text} px, {count(channels, 'channel')}"


def _classes(dataset: Dataset) -> str:
    names = dataset.class_map.names
    values = dataset.class_map.values
    return "; ".join(f"{name} = {_values(values[index])}" for index, name in enumerate(names))


def _values(values: tuple[Any, ...]) -> str:
    texts = [
        "#{:02x}{:02x}{:02x}".format(*value) if isinstance(value, tuple) else str(value) for value in values
    ]
    return " or ".join(texts)


def finding_counts(folder: Path, domain: str) -> str:
    """Return how many errors and warnings the check of a domain gave, empty where it was not kept."""
    paths = [folder / "check" / f"{name}.json" for name in (domain, quote(domain, safe=""))]
    path = next((path for path in paths if path.is_file()), None)
    if path is None:
        return ""
    levels = [problem.get("level") for problem in json.loads(path.read_text()).get("problems", [])]
    return f"{count(levels.count('error'), 'error')}, {count(levels.count('warning'), 'warning')}"
