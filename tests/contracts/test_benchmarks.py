"""Every benchmark can be imported, and the small ones run."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

import pytest
from benchmarks import metrics, pairs, startup
from benchmarks.__main__ import NAMES

from s2s2.data import Dataset


@pytest.mark.parametrize("name", NAMES)
def test_a_benchmark_can_be_imported(name: str) -> None:
    assert callable(import_module(f"benchmarks.{name}").run)


@pytest.mark.parametrize("side", [pairs.ours, pairs.monai])
def test_the_pairs_of_a_benchmark_are_made(side: Callable[[Dataset], tuple[pairs.Make, pairs.Make]]) -> None:
    dataset = Dataset.open(pairs.DEMO, size=64)
    seed, make = side(dataset.subset(dataset.ids[:2]))
    seed(1)
    made = make(1)
    assert made["image"].shape == made["synthetic"].shape == (3, 64, 64)


def test_the_metrics_of_a_benchmark_are_equal() -> None:
    for labels in (metrics.label_maps(), metrics.label_maps((48, 64, 64), 6)):
        prediction, mask = (each[..., ::4, ::4] for each in labels)
        assert metrics.ratio(prediction, mask, ("dice", "hd95", "nsd", "assd"), rounds=1) > 0


def test_the_startup_benchmark_times_a_command_line() -> None:
    assert startup.slowdown("import numpy", [("--help",)], rounds=1) > 0
