"""The table that `make faults` prints: what was tried, and how it ended.

A test says its kind and how it ends well by the mark `fault(kind, outcome)`, or notes one outcome
for each thing it tries by the fixture `note`. A failed test counts by how it failed.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.killed import whole_run
from tests.faults.table import Note, Outcome, table

_PROPERTY = "fault"


@pytest.fixture
def note(record_property: Callable[[str, Any], None]) -> Note:
    """Note how one attempt of a kind ended."""
    return lambda kind, outcome: record_property(_PROPERTY, [kind, str(outcome)])


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """A place with home, away and a run that nobody stopped, in whole; how many seconds it took."""
    place = tmp_path_factory.mktemp("killed")
    return place, whole_run(place)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Count a test with the mark `fault` as one attempt."""
    mark = item.get_closest_marker("fault")
    if mark is not None and call.when == "call" and not _skipped(call):
        kind, outcome = mark.args
        ended = Outcome(outcome) if call.excinfo is None else _failure(call)
        item.user_properties.append((_PROPERTY, [kind, str(ended)]))
    return (yield)


def _skipped(call: pytest.CallInfo[None]) -> bool:
    return call.excinfo is not None and call.excinfo.errisinstance(pytest.skip.Exception)


def _failure(call: pytest.CallInfo[None]) -> Outcome:
    error = call.excinfo
    if error is None or error.errisinstance(AssertionError):
        return Outcome.WRONG
    hangs = error.errisinstance((subprocess.TimeoutExpired, TimeoutError))
    return Outcome.HANG if hangs else Outcome.TRACEBACK


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print what became of all that was tried, in other processes too."""
    found = [
        tuple(value)
        for reports in terminalreporter.stats.values()
        for report in reports
        if getattr(report, "when", "") == "call"
        for name, value in report.user_properties
        if name == _PROPERTY
    ]
    if found:
        terminalreporter.section("faults")
        terminalreporter.write_line(table(found))
