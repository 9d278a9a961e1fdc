from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from s2s2.errors import ConfigError
from s2s2.pipeline import RunConfig, StackConfig, save_config
from s2s2.run.folder import RunFolder, RunManifest, generator_of


@pytest.fixture
def config(tmp_path: Path) -> RunConfig:
    return RunConfig(data=tmp_path / "home", output=tmp_path / "run")


def test_every_generator_has_one_stack(config: RunConfig) -> None:
    arms = ("baseline", "synthetic", "s2s2", "s2s2@appearance", "s2s2@appearance:8,diffusion:8")
    folders = RunFolder(config.output).stacks(replace(config, arms=arms))
    assert folders == {
        config.stack.generator: config.output / "stack",
        "appearance": config.output / "stacks" / "appearance",
        "appearance:8,diffusion:8": config.output / "stacks" / "appearance%3A8,diffusion%3A8",
    }


def test_an_arm_without_a_stack_has_no_generator(config: RunConfig) -> None:
    assert generator_of(config, "duplicate") is None
    assert generator_of(config, "s2s2") == config.stack.generator
    assert generator_of(config, "synthetic@appearance") == "appearance"


def test_an_import_path_with_slashes_stays_one_folder(config: RunConfig) -> None:
    spec = "folder(path='made/elsewhere')"
    folder = RunFolder(config.output).stacks(replace(config, arms=("baseline", f"s2s2@{spec}")))[spec]
    assert folder.parent == config.output / "stacks"


def test_ordinary_names_are_their_own_file_names(tmp_path: Path) -> None:
    training = RunFolder(tmp_path).training("s2s2@appearance", 1)
    assert training.root == tmp_path / "arms" / "s2s2@appearance" / "seed1"
    assert training.predictions("away").root == training.root / "predictions" / "away"
    assert training.scores("away") == training.root / "scores" / "away.csv"


@pytest.mark.parametrize("name", ["..", "a/b", ".hidden", "con", "a\\b", "CT:MR"])
def test_no_name_leads_out_of_the_run(name: str, tmp_path: Path) -> None:
    training = RunFolder(tmp_path).training(f"s2s2@folder(path='{name}')", 0)
    assert training.root.parent.parent == tmp_path / "arms"
    for path in (training.predictions(name).root, training.scores(name), training.tested(name)):
        assert path.resolve().is_relative_to(training.root)
        assert name not in path.relative_to(training.root).parts


def test_a_manifest_comes_back_and_what_it_does_not_know_is_passed_over(tmp_path: Path) -> None:
    manifest = RunManifest(version="1", home="paris", away=("oxford",), timings={"train": 1.5})
    manifest.save(tmp_path / "run.json")
    assert RunManifest.load(tmp_path / "run.json") == manifest
    content = json.loads((tmp_path / "run.json").read_text()) | {"settings": {"size": 64}}
    (tmp_path / "run.json").write_text(json.dumps(content))
    assert RunFolder(tmp_path).read_manifest() == manifest


def test_an_unfinished_run_has_no_report(config: RunConfig, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is not the folder of a run"):
        RunFolder.finished(tmp_path)
    save_config(config)
    with pytest.raises(ConfigError, match=r"holds no finished run. Finish it with the same `s2s2 run`"):
        RunFolder.finished(config.output)


def test_tunings_are_those_of_the_run_and_of_its_option(tmp_path: Path) -> None:
    folder, given = RunFolder(tmp_path / "run"), tmp_path / "given"
    inside, elsewhere = folder.generators / "a", tmp_path / "private"
    for path in (inside, given / "b", elsewhere):
        path.mkdir(parents=True)
    assert folder.below(inside) == "generators/a"
    tunings = {
        "a": folder.below(inside),
        "b": folder.below(given / "b"),
        "c": folder.below(elsewhere),
        "d": "../private",
        "e": "/",
    }
    RunManifest(tunings=tunings).save(folder.manifest)
    assert folder.tunings() == {"a": inside}
    save_config(RunConfig(data=tmp_path / "home", output=folder.root, stack=StackConfig(tuned=given)))
    assert folder.tunings() == {"a": inside, "b": given / "b"}
