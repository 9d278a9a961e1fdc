"""Cases and classes whose names files and tables could take for something else."""

from __future__ import annotations

from pathlib import Path

import pytest

from s2s2.report import build_report
from s2s2.report.gallery import examples
from s2s2.report.tables import every_mean
from tests.report.fake import FakeRun, Runs

IDS = ("NA", ".hidden", "nan", "001", "a/b", "null")


@pytest.fixture
def odd(run_of: Runs) -> FakeRun:
    return run_of(ids=IDS, names=("background=0", "NA=255"), seeds=1)


def test_names_of_missing_values_stay_names(odd: FakeRun) -> None:
    run = odd.results
    assert set(IDS) <= set(run.scores["case"])
    assert set(run.scores["class_name"]) == {"NA"}
    assert set(IDS) <= set(run.case_values()["case"])
    assert {row[1] for row in every_mean(run)} == {"NA"}


@pytest.mark.parametrize("case", IDS)
def test_the_predictions_of_every_case_are_found(case: str, odd: FakeRun) -> None:
    (shown,) = examples(odd.results, odd.tests["home"].subset([case]), "home").by_score
    assert shown.case == case
    assert len(shown.panels) == 2


def test_the_page_names_them(odd: FakeRun, tmp_path: Path) -> None:
    page = build_report(odd.copied(tmp_path).folder).read_text()
    assert "NA = 255" in page
