"""Every command says what it does, refuses what it cannot do, and works."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from s2s2.cli import COMMANDS, main
from s2s2.pipeline import RunConfig
from tests.drawn import draw_site


@pytest.mark.parametrize("command", list(COMMANDS))
def test_help_of_every_command(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    assert f"s2s2 {command}" in capsys.readouterr().out


def test_overview_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    for command, summary in COMMANDS.items():
        assert command in text
        assert summary in text


def test_no_command_is_a_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2


def test_an_unknown_command_names_the_known(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trian"]) == 2
    assert "no command 'trian'. The commands are: demo, run" in capsys.readouterr().err


def test_a_mistake_is_one_paragraph_without_a_traceback(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import sys; from s2s2.cli import main; sys.exit(main(['check', {str(tmp_path)!r}]))",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert str(tmp_path) in done.stderr + done.stdout


def test_check_prints_json_and_judges(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(site), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["summary"]["cases"] == 12
    (site / "images" / "case_00.png").write_bytes(b"corrupt")
    assert main(["check", str(site)]) == 2
    assert "case_00" in capsys.readouterr().out


def test_a_long_expression_is_not_taken_for_a_path(site: Path, tmp_path: Path) -> None:
    groups = f"({'|'.join(f'patient{number:03}' for number in range(99))}|case_..)"
    words = ["--groups", groups, "--output", str(tmp_path / "split.json"), "--counts", "8", "2", "2"]
    assert main(["split", str(site), *words]) == 0


def test_doctor_names_the_extra_that_brings_what_is_missing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("s2s2.cli.doctor.find_spec", lambda name: None)
    monkeypatch.setenv("COLUMNS", "160")
    assert main(["doctor"]) == 0
    assert "pip install 's2s2[controlnet]'" in capsys.readouterr().out


def test_doctor_finds_this_machine_fit(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    assert "default network" in capsys.readouterr().out


def test_step_by_step(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The stages one by one, as a person would type them."""
    home, away = draw_site(tmp_path / "home", cases=12, seed=1), draw_site(tmp_path / "away", cases=4, seed=2)
    split, stack, trained = tmp_path / "split.json", tmp_path / "stack", tmp_path / "trained"
    assert main(["split", str(home), "--output", str(split), "--counts", "8", "2", "2"]) == 0
    common = ["--split", str(split), "--size", "32"]
    assert main(["stack", str(home), *common, "--output", str(stack), "--depth", "2"]) == 0
    quick = ["--train.steps", "2", "--train.images_per_step", "4", "--train.validations", "1"]
    assert main(["train", str(home), *common, "--stack", str(stack), "--output", str(trained), *quick]) == 0
    masks = tmp_path / "masks"
    assert main(["predict", str(trained / "network"), str(away), "--output", str(masks), "--overlays"]) == 0
    assert len(list(masks.glob("*.png"))) == 4
    tables = []
    for arm in ("baseline", "s2s2"):
        tables.append(str(tmp_path / f"{arm}.csv"))
        assert main(["evaluate", str(masks), str(away), "--output", tables[-1], "--arm", arm]) == 0
    assert main(["compare", *tables, "--output", str(tmp_path / "comparisons.csv")]) == 0
    comparison = pd.read_csv(tmp_path / "comparisons.csv")
    assert (comparison["difference"] == 0).all()


def test_predict_names_a_corrupt_image_and_does_the_others(
    finished: RunConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images = draw_site(tmp_path / "new", cases=3) / "images"
    (images / "case_01.png").write_bytes(b"corrupt")
    network = finished.output / "arms" / "s2s2" / "seed0" / "network"
    words = ["predict", str(network), str(images), "--output", str(tmp_path / "out")]
    assert main([*words, "--trust", finished.network.name]) == 2
    captured = capsys.readouterr()
    assert "case_01 was skipped" in captured.err
    assert "2 predictions, 1 skipped" in captured.out
    assert sorted(path.name for path in (tmp_path / "out").glob("*.png")) == ["case_00.png", "case_02.png"]


def test_predict_says_which_files_are_no_images_to_it(
    finished: RunConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images = draw_site(tmp_path / "new", cases=2) / "images"
    (images / "case_01.gif").write_bytes(b"GIF89a")
    network = finished.output / "arms" / "s2s2" / "seed0" / "network"
    words = ["predict", str(network), str(images), "--output", str(tmp_path / "out")]
    assert main([*words, "--trust", finished.network.name]) == 0
    assert "1 file .gif ignored: images are .png" in capsys.readouterr().err


def test_report_is_drawn_again(finished: RunConfig, capsys: pytest.CaptureFixture[str]) -> None:
    page = finished.output / "report.html"
    page.unlink()
    assert main(["report", str(finished.output)]) == 0
    assert page.exists()


def test_report_of_no_run_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(tmp_path)]) == 2
    assert "is not the folder of a run" in capsys.readouterr().err


def test_dry_run_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = draw_site(tmp_path / "home", cases=12)
    words = ["run", "--data", str(home), "--output", str(tmp_path / "run"), "--size", "32", "--dry-run"]
    assert main(words) == 0
    assert not (tmp_path / "run").exists()
    assert "in all" in capsys.readouterr().out


def test_a_wrong_option_exits_with_two(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--sedes", "3"]) == 2
    assert capsys.readouterr().err == (
        "s2s2: There is no option --sedes. Did you mean --seeds or --steps? See `s2s2 demo --help`.\n"
    )


def test_run_takes_a_generator_in_short(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = draw_site(tmp_path / "home", cases=12, seed=1)
    words = ["run", "--data", str(home), "--output", str(tmp_path / "run"), "--size", "32", "--dry-run"]
    assert main([*words, "--generator", "appearance", "--audited", "false"]) == 0
    shown = capsys.readouterr().out
    assert "(appearance)" in shown
    assert "judges" not in shown
