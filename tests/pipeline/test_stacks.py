from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from s2s2.cli.stack import _shard
from s2s2.errors import ConfigError
from s2s2.generators import build_generator
from s2s2.pipeline import RunConfig
from s2s2.pipeline.stacks import generator_of, place_tuned, stack_folders


@pytest.fixture
def config(tmp_path: Path) -> RunConfig:
    return RunConfig(data=tmp_path / "home", output=tmp_path / "run")


def test_every_generator_has_one_stack(config: RunConfig) -> None:
    arms = ("baseline", "synthetic", "s2s2", "s2s2@appearance", "s2s2@appearance:8,diffusion:8")
    folders = stack_folders(replace(config, arms=arms))
    assert folders == {
        "composite+appearance+boxes": config.output / "stack",
        "appearance": config.output / "stacks" / "appearance",
        "appearance:8,diffusion:8": config.output / "stacks" / "appearance:8,diffusion:8",
    }


def test_an_arm_without_a_stack_has_no_generator(config: RunConfig) -> None:
    assert generator_of(config, "duplicate") is None
    assert generator_of(config, "s2s2") == config.stack.generator
    assert generator_of(config, "synthetic@appearance") == "appearance"


def test_an_import_path_with_slashes_stays_one_folder(config: RunConfig) -> None:
    spec = "folder(path='made/elsewhere')"
    folder = stack_folders(replace(config, arms=("baseline", f"s2s2@{spec}")))[spec]
    assert folder.parent == config.output / "stacks"


def test_one_tuned_part_lies_in_the_folder_itself(tmp_path: Path) -> None:
    generator = build_generator("appearance:1,diffusion+appearance:1")
    place_tuned(generator.learners, tmp_path)
    assert [part.folder for part in generator.learners] == [tmp_path]


def test_two_tuned_parts_lie_below_it(tmp_path: Path) -> None:
    generator = build_generator("diffusion:1,diffusion(seed=1):1")
    place_tuned(generator.learners, tmp_path)
    assert [part.folder for part in generator.learners] == [tmp_path / "diffusion", tmp_path / "diffusion-2"]


def test_parts_that_differ_in_how_they_sample_share_a_tuning(tmp_path: Path) -> None:
    generator = build_generator("diffusion:1,diffusion(guidance=3.0):1")
    place_tuned(generator.learners, tmp_path)
    assert [part.folder for part in generator.learners] == [tmp_path, tmp_path]


@pytest.mark.parametrize("text", ["3", "0/4", "5/4", "a/b", "1/0"])
def test_a_shard_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"--shard must be k/n"):
        _shard(text)


def test_a_shard_is_read_or_taken_from_the_launcher(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "WORLD_SIZE", "SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT"):
        monkeypatch.delenv(name, raising=False)
    assert _shard("3/16") == (3, 16)
    assert _shard(None) is None
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "4")
    assert _shard(None) == (1, 4)
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "5")
    monkeypatch.setenv("SLURM_ARRAY_TASK_COUNT", "8")
    monkeypatch.setenv("SLURM_ARRAY_TASK_MIN", "1")
    assert _shard(None) == (5, 8)
