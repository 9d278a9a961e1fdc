"""The table that `make faults` prints: what was tried, and how it ended.

A test says its kind and how it ends well by the mark `fault(kind, outcome)`, or notes one outcome
for each thing it tries by the fixture `tally`. A failed test counts by how it failed.
"""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

OUTCOMES = ("right", "refused", "traceback", "hang", "silently wrong")
"""Read or made again rightly; refused in a paragraph that names the file; the last three are faults."""
_PROPERTY = "fault"
Tally = Callable[[str, str], None]


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Tally:
    """Note how one attempt of a kind ended."""

    def note(kind: str, outcome: str) -> None:
        assert outcome in OUTCOMES
        request.node.user_properties.append((_PROPERTY, [kind, outcome]))

    return note


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Count a test with the mark `fault` as one attempt."""
    mark = item.get_closest_marker("fault")
    if mark is not None and call.when == "call" and not _skipped(call):
        kind, outcome = mark.args
        item.user_properties.append((_PROPERTY, [kind, outcome if call.excinfo is None else _failure(call)]))
    return (yield)


def _skipped(call: pytest.CallInfo[None]) -> bool:
    return call.excinfo is not None and call.excinfo.errisinstance(pytest.skip.Exception)


def _failure(call: pytest.CallInfo[None]) -> str:
    error = call.excinfo
    if error is None or error.errisinstance(AssertionError):
        return "silently wrong"
    return "hang" if error.errisinstance((subprocess.TimeoutExpired, TimeoutError)) else "traceback"


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the table in Markdown, as docs/reliability.md shows it."""
    counts: Counter[tuple[str, str]] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if getattr(report, "when", "") == "call":
                counts.update(tuple(value) for name, value in report.user_properties if name == _PROPERTY)
    if not counts:
        return
    terminalreporter.section("faults")
    rows = [
        [kind, *(counts[kind, name] for name in OUTCOMES)] for kind in sorted({kind for kind, _ in counts})
    ]
    rows.append(["all", *(sum(row[column] for row in rows) for column in range(1, len(OUTCOMES) + 1))])
    terminalreporter.write_line(f"| what | tried | {' | '.join(OUTCOMES)} |")
    terminalreporter.write_line("|---|" + "---:|" * (len(OUTCOMES) + 1))
    for kind, *numbers in rows:
        terminalreporter.write_line(f"| {kind} | {sum(numbers)} | {' | '.join(map(str, numbers))} |")
