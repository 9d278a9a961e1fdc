from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from s2s2.data.classes import ClassMap
from s2s2.data.nnunet.description import Description
from s2s2.errors import DataError


def described(root: Path, **content: Any) -> Path:
    (root / "imagesTr").mkdir(parents=True, exist_ok=True)
    said = {"channel_names": {"0": "CT"}, "labels": {"background": 0, "RV": 1}, "file_ending": ".nii.gz"}
    said = {name: value for name, value in {**said, **content}.items() if value is not None}
    (root / "dataset.json").write_text(json.dumps(said))
    return root


def test_version_two(tmp_path: Path) -> None:
    root = described(
        tmp_path, channel_names={"0": "T2", "1": "ADC"}, labels={"TZ": 2, "background": 0, "PZ": 1}
    )
    found = Description.of(root)
    assert found is not None
    assert (found.channels, found.ending) == (("T2", "ADC"), ".nii.gz")
    assert ClassMap.declared(root) == ClassMap(("background", "PZ", "TZ"), ((0,), (1,), (2,)))


def test_version_one_has_numbers_as_names(tmp_path: Path) -> None:
    root = described(
        tmp_path,
        channel_names=None,
        file_ending=None,
        modality={"0": "CT"},
        labels={"0": "background", "2": "tumour", "1": "liver"},
    )
    found = Description.of(root)
    assert found is not None
    assert found.channels == ("CT",)
    assert found.ending == ""
    assert found.classes == (("background", "liver", "tumour"), ((0,), (1,), (2,)))


def test_it_is_found_from_the_folders_of_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = described(tmp_path)
    (root / "imagesTs").mkdir()
    assert Description.of(root / "imagesTs") is not None
    monkeypatch.chdir(root / "imagesTr")
    assert Description.of(Path()) is not None


def test_classes_json_comes_first(tmp_path: Path) -> None:
    root = described(tmp_path)
    ClassMap.parse(["background=0", "heart=1"]).save(root / "classes.json")
    found = ClassMap.declared(root)
    assert found is not None
    assert found.names[1] == "heart"


def test_other_folders_and_other_programs_files_say_nothing(tmp_path: Path) -> None:
    assert Description.of(tmp_path) is None
    (tmp_path / "dataset.json").write_text('{"labels": {"0": "background"}, "modality": {"0": "CT"}}')
    (tmp_path / "images").mkdir()
    assert Description.of(tmp_path) is None  # not the folders of nnU-Net
    assert Description.of(described(tmp_path / "other", labels=["a", "b"])) is None
    assert Description.of(described(tmp_path / "none", channel_names=None)) is None


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ({"background": 0, "whole": [1, 2], "core": 2}, r"the region whole, which joins the labels 1, 2"),
        (
            {"background": 0, "RV": 1, "ignore": 2},
            r"the label ignore \(2\) for pixels that were not annotated",
        ),
        ({"RV": 1}, "the label values 1, expected"),
        ({"background": 0, "RV": 1, "LV": 1}, "the label values 0, 1, 1"),
        ({"background": 0, "RV": None}, "the label RV with the value None"),
        ({"background": 0}, "needs a background and at least one class"),
    ],
)
def test_labels_that_are_no_class_map(tmp_path: Path, labels: dict[str, Any], words: str) -> None:
    with pytest.raises(DataError, match=words):
        ClassMap.declared(described(tmp_path, labels=labels))


def test_a_region_of_one_label_is_a_class(tmp_path: Path) -> None:
    found = ClassMap.declared(described(tmp_path, labels={"background": 0, "RV": [1]}))
    assert found is not None
    assert found.values == ((0,), (1,))


@pytest.mark.parametrize("channels", [{}, {"1": "CT"}, {"0": 3}])
def test_channels_are_numbered_from_zero(tmp_path: Path, channels: dict[str, Any]) -> None:
    with pytest.raises(DataError, match='expected a name for each number from "0" on'):
        Description.of(described(tmp_path, channel_names=channels))


def test_a_corrupt_file_is_named(tmp_path: Path) -> None:
    described(tmp_path)
    (tmp_path / "dataset.json").write_text("{")
    with pytest.raises(DataError, match=r"dataset\.json cannot be read as JSON"):
        Description.of(tmp_path)
