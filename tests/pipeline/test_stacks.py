from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from s2s2.cli.stack import _shard
from s2s2.core.records import Record
from s2s2.errors import ConfigError, GeneratorError, StackError
from s2s2.generators import build_generator
from s2s2.pipeline import Run, RunConfig, StackConfig
from s2s2.pipeline.estimate import estimate
from s2s2.pipeline.stacks import place_tuned, take_tuned


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


def test_weights_of_the_user_that_were_altered_are_refused_by_name(tmp_path: Path) -> None:
    generator = build_generator("diffusion")
    for folder in (tmp_path, tmp_path / "autoencoder"):
        weights = folder / "weights.safetensors"
        weights.parent.mkdir(exist_ok=True)
        weights.write_bytes(b"weights")
        Record(folder / "tuned.json", {}).finish({"weights": "ab"}, [weights])
    take_tuned(generator.learners, tmp_path)
    assert generator.learners[0].tuned
    weights.write_bytes(b"WEIGHTS")
    with pytest.raises(GeneratorError, match=r"autoencoder/weights\.safetensors holds other bytes"):
        take_tuned(generator.learners, tmp_path)
    (tmp_path / "weights.safetensors").unlink()
    assert not generator.learners[0].tuned


@pytest.mark.parametrize("generator", ["diffusion", "folder(path='made')"])
def test_a_live_stack_that_cannot_be_is_refused_before_anything_is_made(
    quick: RunConfig, tmp_path: Path, generator: str
) -> None:
    config = replace(quick, output=tmp_path / "run", stack=StackConfig(generator=generator, depth="live"))
    for start in (lambda: Run(config).execute(), lambda: estimate(config)):
        with pytest.raises(StackError, match="cannot make copies while training: it must need no tuning"):
            start()
    assert not (tmp_path / "run" / "split.json").exists()
