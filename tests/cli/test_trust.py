"""Tune, stack, audit: as a person would type them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from s2s2.cli import main
from s2s2.stack import Stack
from tests.drawn import SMALL_NETWORK, draw_site

DIFFUSION = (
    "diffusion(preset='cpu', resolution=16, channels=(16,), steps=2, batch=2, checks=1, judged=2, "
    "solver_steps=2)"
)
JUDGES = ["--audit.folds", "2", "--audit.steps", "2", "--audit.images_per_step", "2", "--audit.size", "32"]
JUDGES += ["--audit.draws", "20", "--audit.jobs", "1", "--audit.network", json.dumps(SMALL_NETWORK)]


def test_tune_stack_audit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home, split = draw_site(tmp_path / "home", cases=16, seed=1), tmp_path / "split.json"
    tuned, stack = tmp_path / "tuned", tmp_path / "stack"
    assert main(["split", str(home), "--output", str(split), "--counts", "12", "2", "2"]) == 0
    common = [str(home), "--split", str(split), "--size", "32", "--generator", DIFFUSION]
    assert main(["tune", *common, "--output", str(tuned), *JUDGES]) == 0
    record = json.loads((tuned / "tuned.json").read_text())
    assert sorted(record["inputs"]["data"]["train"]) == sorted(json.loads(split.read_text())["train"])
    assert list((tuned / "samples").glob("*.jpg"))
    weights = (tuned / "weights.safetensors").stat()
    assert main(["stack", *common, "--tuned", str(tuned), "--output", str(stack), "--depth", "2"]) == 0
    assert (tuned / "weights.safetensors").stat().st_mtime_ns == weights.st_mtime_ns
    capsys.readouterr()
    assert main(["audit", str(stack), "--data", str(home), "--split", str(split), *JUDGES]) == 0
    assert str(stack / "audit" / "audit.html") in capsys.readouterr().out.replace("\n", "")
    assert set(Stack.open(stack).marks) <= set(Stack.open(stack).ids)
    assert len((stack / "audit" / "copies.csv").read_text().splitlines()) == 1 + 12 * 2


def test_there_is_nothing_to_tune(site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    split = tmp_path / "split.json"
    main(["split", str(site), "--output", str(split), "--counts", "8", "2", "2"])
    words = [
        "tune",
        str(site),
        "--split",
        str(split),
        "--generator",
        "composite",
        "--output",
        str(tmp_path / "t"),
    ]
    assert main(words) == 2
    assert "composite has nothing to tune" in capsys.readouterr().err


def test_a_stack_outside_a_run_needs_its_images_named(
    tmp_path: Path, site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    split = tmp_path / "split.json"
    main(["split", str(site), "--output", str(split), "--counts", "8", "2", "2"])
    common = [str(site), "--split", str(split), "--size", "32"]
    main(["stack", *common, "--output", str(tmp_path / "stack"), "--depth", "1"])
    assert main(["audit", str(tmp_path / "stack")]) == 2
    assert "lies in no run" in capsys.readouterr().err


def test_help_teaches_the_choice_of_a_generator(capsys: pytest.CaptureFixture[str]) -> None:
    for command, names in (
        ("stack", ("appearance", "diffusion", "folder")),
        ("tune", ("diffusion", "controlnet")),
    ):
        assert main([command, "--help"]) == 0
        text = capsys.readouterr().out
        for name in names:
            assert f"  {name}: " in text
        assert "needs" in text
        assert "take it" in text
