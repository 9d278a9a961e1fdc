from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from s2s2.core.progress import Silent
from s2s2.core.storage import claimed
from s2s2.data import Dataset, Split
from s2s2.errors import ConfigError, StorageError
from s2s2.pipeline import Run, RunConfig, checking
from s2s2.pipeline.estimate import estimate
from s2s2.pipeline.run import STAGES
from s2s2.pipeline.stage import Context, Row, Stage


class Count(Stage):
    """Counts the training cases."""

    name = "count"
    needs = ("split",)

    def detail(self, context: Context) -> str:
        return "how many training cases are there?"

    def run(self, context: Context) -> None:
        (context.folder.root / "count.txt").write_text(str(len(context.split.train)))

    def estimate(self, context: Context) -> list[Row]:
        return [Row(self.name, f"{len(context.split.train)} cases", 1.0)]


def test_a_stage_of_ones_own_runs_among_the_others(quick: RunConfig, tmp_path: Path) -> None:
    config = replace(quick, output=tmp_path / "run")
    Run(config, stages=(*STAGES[:2], Count())).execute()
    assert (config.output / "count.txt").read_text() == "10"
    table = estimate(config, (*STAGES[:2], Count()))
    assert list(table.columns[0].cells) == ["check", "split", "count", "in all"]


def test_a_folder_is_worked_on_by_one_run_at_a_time(
    quick: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("s2s2.core.storage.PATIENCE_S", 0.1)
    run = Run(replace(quick, output=tmp_path / "run"), stages=STAGES[:2])
    with (
        claimed(tmp_path / "run"),
        pytest.raises(StorageError, match=r"Another process is at work in .*run\. Wait until it is done"),
    ):
        run.execute()
    assert not (tmp_path / "run" / "split.json").exists()
    with claimed(tmp_path / "run"):
        # A further process of the same training is no other run.
        monkeypatch.setenv("LOCAL_RANK", "1")
        run.execute()
    assert (tmp_path / "run" / "split.json").exists()


def test_a_stage_that_comes_too_early_is_refused(quick: RunConfig) -> None:
    words = "Stage 'count' needs split before it, got the stages check, count, split"
    with pytest.raises(ConfigError, match=re.escape(words)):
        Run(quick, stages=(STAGES[0], Count(), STAGES[1]))


def test_a_check_that_found_something_is_shown(quick: RunConfig, tmp_path: Path) -> None:
    context = Context(replace(quick, output=tmp_path / "run"))
    STAGES[0].run(context)
    for source in context.data.sources:
        findings = context.folder.read_check(source)
        assert findings is not None
        assert findings.ok
        assert len(findings.digests) == len(source.dataset)


def test_a_run_says_how_the_masks_of_each_site_are_read(quick: RunConfig, tmp_path: Path) -> None:
    said: list[tuple[str, str]] = []

    class Listening(Silent):
        def stage(self, title: str, detail: str) -> None:
            said.append((title, detail))

    Run(replace(quick, output=tmp_path / "run"), Listening(), stages=STAGES[:1]).execute()
    assert [detail.partition(" as ")[0] for title, detail in said if title == "masks"] == [
        "home: 16",
        "away: 8",
    ]


def test_a_run_says_once_which_sites_need_random_styles(
    quick: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    asked: list[tuple[set[str], list[str], list[str]]] = []

    class Listening(Silent):
        def stage(self, title: str, detail: str) -> None:
            said.extend([detail] if title == "advice" else [])

    def advise(home: Dataset, away: dict[str, Dataset], generators: dict[str, Path]) -> tuple[str, ...]:
        asked.append((set(home.ids), list(away), list(generators)))
        return ("Images of away differ.",)

    monkeypatch.setattr(checking, "advise", advise)
    config = replace(quick, output=tmp_path / "run")
    for _ in range(2):
        Run(config, Listening(), stages=STAGES[:2]).execute()
    assert said == ["Images of away differ."]
    train = Split.load(tmp_path / "run" / "split.json").train
    assert asked == [({*train}, ["away"], [config.stack.generator])]
    Run(replace(config, output=tmp_path / "alone", arms=("baseline",)), stages=STAGES[:2]).execute()
    assert len(asked) == 1
