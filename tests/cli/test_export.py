from __future__ import annotations

from pathlib import Path

import pytest

from s2s2.cli import main
from tests.nnunet_sets import draw_nnunet


def test_from_nnunet_and_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("S2S2_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    data = str(draw_nnunet(Path("Dataset001_Drawn"), "abcdef"))
    Path("splits_final.json").write_text('[{"train": ["a", "b", "c", "d"], "val": ["e", "f"]}]')
    assert main(["split", data, "--nnunet", "splits_final.json", "--output", "split.json"]) == 0
    assert "8 test as fold 0 of splits_final.json says; test are its validation" in capsys.readouterr().out
    words = ["--split", "split.json", "--size", "32", "--depth", "1", "--output", "stack"]
    assert main(["stack", data, *words]) == 0
    export = ["export", "nnunet", "stack", data, "--split", "split.json", "--output"]
    assert main([*export, "raw/Dataset002_Copies"]) == 0
    out = capsys.readouterr().out
    assert "slices in the copies are real ones" in out
    assert "3 training cases, 3 copies, 1 validation, 2 test: raw/Dataset002_Copies" in out
    assert "nnUNetv2_train 2 2d 0" in out
    assert main([*export, "stack/Dataset002_Copies"]) == 2  # in what is read
    assert main([*export, f"{data}/imagesTr/Dataset002_Copies"]) == 2
    assert main(["export", "other", "stack", data, "--output", "raw/Dataset003_Copies"]) == 2
