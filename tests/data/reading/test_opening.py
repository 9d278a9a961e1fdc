from __future__ import annotations

from pathlib import Path

import pytest

from s2s2.data.classes import ClassMap
from s2s2.data.dataset import Dataset
from s2s2.data.reading import opening
from s2s2.data.reading.opening import in_threads


def test_results_keep_their_order() -> None:
    assert list(in_threads(lambda number: number**2, range(1000))) == [number**2 for number in range(1000)]
    assert list(in_threads(abs, [])) == []


def test_of_very_many_masks_some_are_looked_at(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[str] = []
    read = opening.read_levels
    monkeypatch.setattr(opening, "_INFERRED_FROM", 5)
    monkeypatch.setattr(opening, "read_levels", lambda path: looked_at.append(path.stem) or read(path))  # type: ignore[func-returns-value]
    assert Dataset.open(site).class_map == ClassMap(("background", "foreground"), ((0,), (1, 255)))
    assert sorted(looked_at) == ["case_00", "case_03", "case_06", "case_09"]
