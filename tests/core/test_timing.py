from __future__ import annotations

import itertools

import pytest

from s2s2.core import timing


def test_the_least_of_the_calls_after_the_first_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    now = itertools.accumulate([0.0, 5.0, 1.0, 0.25, 1.0, 700.0])  # begin and end of three timed calls
    calls: list[None] = []
    monkeypatch.setattr(timing.time, "perf_counter", lambda: next(now))
    assert timing.seconds_of(lambda: calls.append(None)) == 0.25
    assert len(calls) == 4
