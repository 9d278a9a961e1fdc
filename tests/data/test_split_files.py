from __future__ import annotations

import json
from pathlib import Path

import pytest

from s2s2.data.dataset import Dataset
from s2s2.data.split import Split
from s2s2.data.split_files import Fold, load_split
from s2s2.errors import SplitError
from s2s2.run.config import Division
from s2s2.run.options import PartOfSplit, SplitFile
from tests.nnunet_sets import draw_nnunet, draw_pictures

NAMES = ("a", "b", "c", "d", "e", "f")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S2S2_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def volumes(tmp_path: Path) -> Dataset:
    """Six volumes of four slices, the last of each without an organ."""
    return Dataset.open(draw_nnunet(tmp_path / "Dataset001_Drawn", NAMES))


def slices(*names: str) -> tuple[str, ...]:
    return tuple(f"{name}_s{number:03d}" for name in names for number in range(4))


def folds(path: Path, *parts: tuple[str, str]) -> Path:
    """Write folds whose names are single letters."""
    path.write_text(json.dumps([{"train": list(train), "val": list(val)} for train, val in parts]))
    return path


def test_a_volume_in_a_split_means_its_slices(volumes: Dataset, tmp_path: Path) -> None:
    Split(("a", "b", "c_s001"), ("d",), ("e",)).save(path := tmp_path / "split.json")
    split = load_split(path, volumes)
    assert split.train == (*slices("a", "b"), "c_s001")
    assert (split.validation, split.test) == (slices("d"), slices("e"))
    assert SplitFile(split=path).training_split(volumes) == split
    assert PartOfSplit(split=path).of_part(volumes).ids == slices("e")


def test_what_is_no_case_and_no_volume_is_refused_later(volumes: Dataset, tmp_path: Path) -> None:
    Split(("a", "nobody"), ("d",), ("e",)).save(path := tmp_path / "split.json")
    with pytest.raises(SplitError, match=r"names 1 case that .* does not have: nobody"):
        SplitFile(split=path).training_split(volumes)


def test_a_case_named_with_its_volume_comes_twice(volumes: Dataset, tmp_path: Path) -> None:
    Split(("a",), ("a_s001",), ("e",)).save(path := tmp_path / "split.json")
    with pytest.raises(SplitError, match="lists 1 case more than once: a_s001"):
        load_split(path, volumes)


def test_cases_outside_the_folds_are_the_test_part(volumes: Dataset, tmp_path: Path) -> None:
    path = folds(tmp_path / "splits_final.json", ("abc", "d"), ("bcd", "a"))
    fold = Fold.read(path, 0, volumes)
    split = fold.split(volumes, share=0.25)
    assert (split.train, split.validation) == (slices("a", "b", "c"), slices("d"))
    assert split.test == slices("e", "f")
    assert str(fold).endswith("test are the 8 cases that are in no fold")
    assert Fold.read(path, 1, volumes).split(volumes, share=0.25).validation == slices("a")


def test_without_such_cases_test_is_what_the_fold_validates_on(volumes: Dataset, tmp_path: Path) -> None:
    path = folds(tmp_path / "splits_final.json", ("abcd", "ef"))
    fold = Fold.read(path, 0, volumes)
    split = fold.split(volumes, share=0.25)
    assert split.test == slices("e", "f")
    assert sorted(split.train + split.validation) == sorted(slices("a", "b", "c", "d"))
    assert len(split.validation) == 4  # a quarter of 16, and volumes stay whole
    assert str(fold) == (
        "as fold 0 of splits_final.json says; test are its validation cases, and validation is drawn from "
        "its training cases"
    )
    assert fold.split(volumes, share=0.25) == split


def test_a_division_takes_the_fold_and_leaves_out_empty_slices(volumes: Dataset, tmp_path: Path) -> None:
    path = folds(tmp_path / "splits_final.json", ("abcd", "ef"))
    split = Division(nnunet=path, fractions=(0.5, 0.2, 0.3), empty=0).divide(volumes)
    assert split.test == slices("e", "f")  # with their empty slices
    assert len(split.train) + len(split.validation) == 12


def test_folds_of_flat_images(tmp_path: Path) -> None:
    data = Dataset.open(draw_pictures(tmp_path / "Dataset003_Drawn"))
    path = folds(tmp_path / "splits_final.json", ("abcd", "ef"))
    split = Division(nnunet=path).divide(data)
    assert split.test == ("e", "f")
    assert sorted(split.train + split.validation) == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"train": []}', "holds no folds of nnU-Net"),
        ('[{"train": ["a"]}]', "KeyError.*Expected a list of folds"),
        ('[{"train": ["a"], "val": [1]}]', "expected a list of names, got"),
        ("[", "cannot be read as JSON"),
        ('[{"train": ["a", "x"], "val": ["b"]}]', "names 1 case that .* does not have: x"),
        ("[]", "has 0 folds, numbered from 0, and fold 0 is asked for"),
    ],
)
def test_files_that_are_no_folds(volumes: Dataset, tmp_path: Path, content: str, words: str) -> None:
    (tmp_path / "folds.json").write_text(content)
    with pytest.raises(SplitError, match=words):
        Fold.read(tmp_path / "folds.json", 0, volumes)


def test_folds_in_place_of_a_split_are_refused_with_the_command(volumes: Dataset, tmp_path: Path) -> None:
    path = folds(tmp_path / "splits_final.json", ("abcd", "ef"))
    with pytest.raises(SplitError, match=r"`s2s2 split .* --nnunet .* --fold 0 --output split\.json`"):
        load_split(path, volumes)
