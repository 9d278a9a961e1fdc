from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
import pytest

from s2s2.report.verdict import difference, find_difference
from tests.report.tables import BETTER, row, written_run


@pytest.mark.parametrize(
    ("low", "high", "p", "word"),
    [
        (0.01, 0.05, 0.01, "better"),
        (0.01, 0.05, math.nan, "better"),
        (0.01, 0.05, 0.05, "leans better"),
        (-0.05, -0.01, 0.01, "worse"),
        (-0.05, -0.01, 0.5, "leans worse"),
        (-0.01, 0.05, 0.001, "open"),
        (0.0, 0.05, 0.001, "open"),
        (math.nan, math.nan, 0.001, "open"),
    ],
)
def test_what_may_be_said(low: float, high: float, p: float, word: str) -> None:
    assert difference(pd.Series(row("oxford", 0.0, low, high, p=p))).word == word


def test_a_pair_is_found_the_other_way_round(tmp_path: Path) -> None:
    run = written_run(tmp_path, [row("oxford", *BETTER)])
    found = find_difference(run, "oxford", "baseline", "s2s2")
    assert found is not None
    assert (found.value, found.low, found.high) == (-0.05, -0.08, -0.02)
    assert (found.better, found.worse, found.word) == (15, 30, "worse")
    assert find_difference(run, "oxford", "s2s2", "duplicate") is None
