from __future__ import annotations

from pathlib import Path

import pytest

from s2s2.report import build_report
from s2s2.run.names import shown_names, without_options
from tests.report.fake import Runs

LONG = "s2s2@diffusion(resolution=48, channels=(16, 32))"


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ("appearance", "appearance"),
        ("folder(path='a)b')", "folder"),
        ("appearance:2,diffusion(channels=(16, 32)):2", "appearance:2,diffusion:2"),
        ("diffusion(steps=1)+appearance(extrapolate=0.5)", "diffusion+appearance"),
    ],
)
def test_what_stands_in_brackets_is_left_out(spec: str, name: str) -> None:
    assert without_options(spec) == name


def test_arms_that_differ_in_options_alone_keep_them() -> None:
    arms = [
        "baseline",
        "s2s2@diffusion(seed=0)",
        "s2s2@diffusion(seed=1)",
        "s2s2@appearance(extrapolate=0.5)",
    ]
    assert list(shown_names(arms).values()) == [*arms[:3], "s2s2@appearance"]


def test_the_page_calls_an_arm_by_its_short_name_and_finds_its_files(run_of: Runs, tmp_path: Path) -> None:
    made = run_of(arms=("baseline", LONG)).copied(tmp_path)
    run = made.results
    assert run.arms == ("baseline", "s2s2@diffusion")
    assert run.specs["s2s2@diffusion"] == LONG
    assert set(run.scores["arm"]) == set(run.summary["arm"]) == set(run.history["arm"]) == set(run.arms)
    page = build_report(made.folder).read_text()
    results, record = page.split('id="methods"')
    assert "s2s2@diffusion" in results
    assert "resolution=48" not in results
    assert "resolution=48" in record
