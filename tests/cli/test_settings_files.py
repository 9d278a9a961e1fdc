"""Settings come back from files, and what a file must not hold is named."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from s2s2.cli import COMMANDS, main
from s2s2.pipeline import RunConfig
from tests.cli.test_options import REQUIRED, options_of, read


def printed(command: str, words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as stopped:
        main([command, *words, "--print-config"])
    assert stopped.value.code == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("command", list(COMMANDS))
def test_a_command_reads_back_what_it_printed(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "options.yaml"
    words = REQUIRED.get(command, "").split()
    file.write_text(printed(command, words, capsys))
    assert printed(command, ["--config", str(file)], capsys) == file.read_text()
    assert read(command, "--config", str(file)) == read(command, *words)


@pytest.mark.parametrize("command", list(COMMANDS))
def test_every_command_reads_the_settings_of_a_run(command: str, finished: RunConfig) -> None:
    file = str(finished.output / "config.yaml")
    trust = ["--trust", finished.network.name] if hasattr(options_of(command), "trust") else []
    options = read(command, *REQUIRED.get(command, "").split(), "--config", file, *trust)
    shared = {
        "size": 32,
        "seeds": 2,
        "train": finished.train,
        "network": finished.network,
        "audit": finished.audit,
    }
    if command != "predict":
        for name, value in shared.items():
            assert getattr(options, name, value) == value
    if command != "run":
        assert getattr(options, "output", None) != finished.output


def test_a_run_is_repeated_from_its_settings(finished: RunConfig, capsys: pytest.CaptureFixture[str]) -> None:
    file = finished.output / "config.yaml"
    before = file.read_bytes()
    assert main(["run", "--config", str(file), "--trust", "monai.networks.nets:UNet"]) == 0
    assert str(finished.output / "report.html") in capsys.readouterr().out.replace("\n", "")
    assert file.read_bytes() == before


def test_reading_settings_runs_no_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number, text in enumerate(
        (
            f"data: !!python/object/apply:pathlib.Path.touch [{tmp_path}/sprung]",
            f"output: {{class_path: pathlib.Path, init_args: {{args: [{tmp_path}]}}}}",
            "network: {name: this.module.is.not.there}\nmagic: 1",
        )
    ):
        file = tmp_path / f"{number}.yaml"
        file.write_text(text)
        try:
            code: object = main(["run", "--config", str(file), "--print-config"])
        except SystemExit as stopped:
            code = stopped.code
        assert code == 2, text
    assert not (tmp_path / "sprung").exists()


def test_a_file_of_settings_is_refused_in_the_same_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "settings.yaml"
    for option, text in (("--config", "train: {patch: abc}"), ("--train", "patch: abc")):
        file.write_text(text)
        assert main(["train", "home", "--output", "o", option, str(file)]) == 2
        said = capsys.readouterr().err
        assert "--train.patch takes a whole number or null, got 'abc'." in said
        assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("option", "text", "name", "cure"),
    [
        ("--config", "train: {stepz: 3}", "train.stepz", "Write train.steps "),
        ("--config", "stepz: 3", "stepz", "train.steps if you mean it, or delete it from the file."),
        ("--config", "magic: {steps: 3}", "magic", "Delete it from the file."),
        ("--train", "stepz: 3", "stepz", "Write steps "),
    ],
)
def test_a_file_with_an_unknown_option_is_named_with_its_cure(
    option: str, text: str, name: str, cure: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text(text)
    for command in ("train", "run"):
        assert main([command, "--data", "home", "--output", "o", option, str(file)]) == 2
        said = capsys.readouterr().err
        assert f"{file} names the option {name}, which this version does not have. " in said
        assert cure in said


@pytest.mark.parametrize(("option", "text"), [("--config", "train: {stepz: 3}"), ("--train", "{stepz: 3}")])
def test_an_unknown_option_that_was_typed_is_named_as_any_other(
    option: str, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in ("train", "run"):
        assert main([command, "--data", "home", "--output", "o", option, text]) == 2
        assert "There is no option --train.stepz. Did you mean --train.steps" in capsys.readouterr().err


def test_the_settings_of_a_run_with_an_unknown_option_are_refused(
    finished: RunConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written = (finished.output / "config.yaml").read_text()
    file = tmp_path / "config.yaml"
    file.write_text(written.replace("\n  w_syn: ", "\n  w_sym: "))
    assert file.read_text() != written
    for command in ("train", "run"):
        assert main([command, "--config", str(file)]) == 2
        assert f"{file} names the option train.w_sym" in capsys.readouterr().err


def test_an_own_settings_file_may_hold_only_what_differs(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["check", "home", "--print-config=skip_default"])
    assert yaml.safe_load(capsys.readouterr().out) == {"data": "home"}


def test_settings_of_a_run_are_plain_yaml(finished: RunConfig) -> None:
    content = yaml.safe_load((finished.output / "config.yaml").read_text())
    assert {each.name for each in fields(RunConfig)} == set(content)
