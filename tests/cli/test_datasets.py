from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from s2s2.cli import main
from s2s2.data.catalogue.info import known_datasets
from tests.drawn import draw_case
from tests.public_sets import draw_nuclei, draw_public, save


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


def test_all_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["datasets"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in known_datasets())
    assert "CC BY 4.0" in out


def test_one_is_described_with_its_page_layout_and_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["datasets", "chase-db1"]) == 0
    out = capsys.readouterr().out
    for text in ("https://researchdata.kingston.ac.uk/96/", "Image_01L_1stHO.png", "CC BY 4.0", "both eyes"):
        assert text in out
    assert "s2s2 check FOLDER --dataset chase-db1" in out


def test_every_description_is_printed_in_words_and_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    for name in known_datasets():
        assert main(["datasets", name]) == 0
        assert "showing" in capsys.readouterr().out
    assert main(["datasets", "--json"]) == 0
    assert [each["name"] for each in json.loads(capsys.readouterr().out)] == list(known_datasets())
    assert main(["datasets", "btcv", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["window"] == [-125, 275]


def test_an_unknown_one_is_refused_in_one_paragraph(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["datasets", "polypgn"]) == 2
    assert "Did you mean polypgen?" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words", [["--data", "a", "--output", "b"], ["ph2", "--data", "a"], ["ph2", "--output", "b"]]
)
def test_half_of_what_is_to_be_written_is_refused(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["datasets", *words]) == 2
    assert "give its name, --data and --output" in capsys.readouterr().err


def test_nuclei_are_written_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    draw_nuclei(tmp_path / "bowl")
    words = ["datasets", "dsb2018", "--data", str(tmp_path / "bowl"), "--output"]
    assert main([*words, str(tmp_path / "new")]) == 0
    assert "2 cases" in capsys.readouterr().out
    assert main(["check", str(tmp_path / "new")]) == 0
    assert main([*words, str(tmp_path / "bowl" / "new")]) == 2
    assert "lies in" in capsys.readouterr().err


def test_check_reads_a_data_set_as_it_lies(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    draw_public(tmp_path, "cvc-clinicdb")
    assert main(["check", str(tmp_path), "--dataset", "cvc-clinicdb", "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)["summary"]
    assert (summary["cases"], summary["groups"]) == (4, 3)
    assert [each["name"] for each in summary["classes"]] == ["background", "polyp"]
    assert main(["check", str(tmp_path), "--dataset", "kvasir-seg"]) == 2
    assert "https://datasets.simula.no/kvasir-seg/" in capsys.readouterr().err


def test_a_split_keeps_the_sequences_of_cvc_clinicdb_together(tmp_path: Path) -> None:
    image, mask = draw_case(np.random.default_rng(0), (36, 44))
    starts = (1, 26, 51, 68, 79, 104, 127, 152)
    for first in starts:
        for frame in range(first, first + 3):
            noise = np.random.default_rng(frame).integers(0, 9, image.shape, np.uint8)
            save(tmp_path / "cvc" / "Original" / f"{frame}.tif", image // 2 + noise)
            save(tmp_path / "cvc" / "Ground Truth" / f"{frame}.tif", mask * np.uint8(255))
    words = ["split", str(tmp_path / "cvc"), "--dataset", "cvc-clinicdb", "--counts", "15", "3", "6"]
    assert main([*words, "--output", str(tmp_path / "split.json")]) == 0
    split = json.loads((tmp_path / "split.json").read_text())
    part_of = {int(frame): part for part in ("train", "validation", "test") for frame in split[part]}
    assert len(part_of) == 24
    assert all(len({part_of[frame] for frame in range(first, first + 3)}) == 1 for first in starts)
