"""An arm that is added from outside the package is trained, compared and shown like any other."""

from __future__ import annotations

from pathlib import Path

import pytest

from s2s2.arms import ARMS, Arm, Style
from s2s2.report import build_report
from s2s2.report.headline import headline
from s2s2.report.palette import arm_styles
from tests.report.fake import FakeRun, fake_run

MINE = Arm(
    "mine",
    view="stack",
    consistency=False,
    summary="a copy that nobody else shows",
    order=200,
    style=Style("#123456", "#abcdef", "cross", "6 6"),
    controls={"synthetic": "A gain over the synthetic arm is what mine adds."},
)


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeRun:
    monkeypatch.setitem(ARMS, "mine", MINE)
    return fake_run(tmp_path, arms=("baseline", "synthetic", "mine"), seeds=1)


def test_it_is_what_the_report_is_about(fake: FakeRun) -> None:
    run = fake.results
    assert run.arms == ("baseline", "synthetic", "mine")
    assert (run.main, run.reference) == ("mine", "baseline")
    pairs = set(zip(run.comparisons["arm"], run.comparisons["reference"], strict=True))
    assert pairs == {("synthetic", "baseline"), ("mine", "baseline"), ("mine", "synthetic")}
    assert headline(run).control.startswith("A gain over the synthetic arm is what mine adds. mine minus")
    assert arm_styles(run.arms)["mine"].light == "#123456"


def test_it_is_on_the_page(fake: FakeRun) -> None:
    page = build_report(fake.folder).read_text()
    assert "a copy that nobody else shows" in page
    assert "--arm-2: #123456" in page
    assert "Pairs as the network sees them" in page


def test_an_arm_that_nobody_knows_is_still_shown(fake: FakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    (fake.folder.root / "config.yaml").unlink()
    monkeypatch.delitem(ARMS, "mine")
    assert fake.results.arms == ("baseline", "synthetic", "mine")
    assert "an arm of your own" in build_report(fake.folder).read_text()
