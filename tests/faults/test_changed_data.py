"""Data that change between two calls: nothing stale is reported as finished, and what changed is said."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from s2s2.cli import main
from s2s2.core.progress import Silent
from s2s2.data.split import Split
from s2s2.errors import DataError
from s2s2.pipeline import Run, RunConfig
from tests.drawn import SMALL_NETWORK, draw_site

pytestmark = pytest.mark.fault("data changed between runs", "right")


class Said(Silent):
    """Keeps what a run says of its stages."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def stage(self, title: str, detail: str) -> None:
        self.lines.append(f"{title}: {detail}")


def again(run: RunConfig) -> list[str]:
    """Run once more and return what was said of changes."""
    said = Said()
    Run(run, said).execute()
    return [line for line in said.lines if line.startswith("changed")]


def invert(path: Path) -> None:
    ImageOps.invert(Image.open(path)).save(path)


@pytest.fixture
def copied(finished: RunConfig, tmp_path: Path) -> RunConfig:
    """A finished run and its data, to be changed."""
    for name in ("home", "away"):
        shutil.copytree(finished.data.parent / name, tmp_path / name)
    run = replace(
        finished,
        data=tmp_path / "home",
        target=(tmp_path / "away",),
        output=tmp_path / "run",
        seeds=1,
        audited=False,
    )
    Run(run).execute()
    return run


def state(run: RunConfig) -> dict[str, bytes]:
    return {
        str(path.relative_to(run.output)): path.read_bytes()
        for pattern in ("**/*.tif", "**/*.safetensors", "arms/**/*.csv", "scores.csv")
        for path in run.output.glob(pattern)
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("part", "kind", "words"),
    [
        ("train", "masks", "1 mask of home changed since ({}): stack, judges, trainings are made again"),
        ("train", "images", "1 image of home changed since ({}): stack, judges, trainings are made again"),
        ("validation", "images", "1 image of home changed since ({}): trainings are made again"),
        ("test", "masks", "1 mask of home changed since ({}): predictions and scores are made again"),
    ],
)
def test_a_run_whose_data_changed_is_the_run_of_the_new_data(
    copied: RunConfig, part: str, kind: str, words: str
) -> None:
    assert again(copied) == []
    case = getattr(Split.load(copied.output / "split.json"), part)[0]
    invert(copied.data / kind / f"{case}.png")
    before = state(copied)
    assert again(copied) == [f"changed: {words.format(case)}"]
    found = state(copied)
    assert found != before
    fresh = replace(
        copied,
        output=copied.output.with_name("fresh"),
        split=replace(copied.split, file=copied.output / "split.json"),
    )
    Run(fresh).execute()
    assert state(fresh) == found
    assert again(copied) == []


@pytest.mark.slow
def test_cases_that_come_or_were_touched(copied: RunConfig) -> None:
    before = state(copied)
    for path in copied.data.glob("*/*.png"):
        os.utime(path)
    assert again(copied) == []
    assert state(copied) == before
    for site in (copied.target[0], copied.data):
        with open(site / "groups.csv", "a") as file:
            file.write("new,another\n")
        for folder in ("images", "masks"):
            shutil.copy(site / folder / "case_00.png", site / folder / "new.png")
            pixels = np.array(Image.open(site / folder / "new.png"))
            Image.fromarray(np.flip(pixels, 0).copy()).save(site / folder / "new.png")
    with pytest.raises(DataError, match=r"has 1 case that were not there .*: new\..*another --output"):
        again(copied)
    assert state(copied) == before
    for folder in ("images", "masks"):
        (copied.data / folder / "new.png").unlink()
    assert again(copied) == ["changed: 1 case of away added (new): predictions and scores are made again"]
    for folder in ("images", "masks"):
        (copied.target[0] / folder / "new.png").unlink()
    again(copied)
    assert state(copied) == before


def test_the_prediction_of_a_replaced_image_is_made_again(
    finished: RunConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network = str(finished.output / "arms" / "s2s2" / "seed0" / "network")
    site = draw_site(tmp_path / "new", cases=3)
    words = [
        "predict",
        network,
        str(site),
        "--output",
        str(tmp_path / "out"),
        "--trust",
        SMALL_NETWORK["name"],
    ]

    def predicted() -> int:
        assert main(words) == 0
        return int(capsys.readouterr().out.split()[0])

    assert (predicted(), predicted()) == (3, 0)
    os.utime(site / "images" / "case_00.png")
    assert predicted() == 0
    stamp = (site / "images" / "case_01.png").stat().st_mtime_ns
    Image.fromarray(np.zeros_like(np.array(Image.open(site / "images" / "case_01.png")))).save(
        site / "images" / "case_01.png"
    )
    os.utime(site / "images" / "case_01.png", ns=(stamp, stamp))
    assert (predicted(), predicted()) == (1, 0)
    label_map = tmp_path / "out" / "case_02.png"
    before = label_map.read_bytes()
    invert(label_map)  # of the same size, and readable
    assert (predicted(), predicted()) == (1, 0)
    assert label_map.read_bytes() == before
    (tmp_path / "out" / "predictions.json").unlink()
    assert predicted() == 3
