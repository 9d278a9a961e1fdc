"""Runs that are asked from another folder, by other paths, or after they were moved."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from s2s2.cli import main
from s2s2.pipeline import Run, RunConfig, load_config

pytestmark = pytest.mark.fault("moved runs", "right")


@pytest.fixture
def moved(finished: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that a finished run and its data were moved to; the working directory is elsewhere."""
    for folder in (finished.data, *finished.target):
        shutil.copytree(folder, tmp_path / "moved" / folder.relative_to(finished.output.parent))
    shutil.copytree(finished.output, tmp_path / "moved" / finished.output.name)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return tmp_path / "moved"


def test_paths_are_kept_relative_to_the_run(finished: RunConfig, moved: Path) -> None:
    content = yaml.safe_load((finished.output / "config.yaml").read_text())
    assert (content["data"], content["target"], content["output"]) == (
        "../sites/home",
        ["../sites/away"],
        ".",
    )
    run = load_config(moved / finished.output.name)
    assert (run.data, run.output) == (moved / "sites" / "home", moved / finished.output.name)


def test_a_moved_run_is_finished_from_anywhere(finished: RunConfig, moved: Path) -> None:
    run = moved / finished.output.name
    assert main(["report", f"../moved/{run.name}"]) == 0
    before = {path: path.stat().st_mtime_ns for path in (run / "arms").rglob("*") if path.is_file()}
    again = load_config(run)
    for data in (again.data, Path("../moved/sites/home")):
        Run(replace(again, data=data, output=Path("../moved", run.name))).execute()
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_the_settings_of_a_run_are_read_from_anywhere(finished: RunConfig, moved: Path) -> None:
    config = f"../moved/{finished.output.name}/config.yaml"
    assert main(["run", "--config", config, "--dry-run", "--trust", finished.network.name]) == 0
    assert main(["check", "--config", config]) == 0
