"""Every benchmark can be imported, and the small ones run."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest
from benchmarks import stack, startup
from benchmarks.__main__ import NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_benchmark_can_be_imported(name: str) -> None:
    assert callable(import_module(f"benchmarks.{name}").run)


def test_the_pairs_of_the_stack_benchmark_are_made(tmp_path: Path) -> None:
    assert stack._pairs(tmp_path, rounds=1)["figure"] > 0


def test_the_startup_benchmark_times_a_command_line() -> None:
    assert startup.slowdown("import numpy", [("--help",)], rounds=1) > 0
