from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from s2s2.data.checking.inspection import inspect
from s2s2.data.dataset import Dataset
from s2s2.data.identity import digests_of, identities
from s2s2.data.volumes.config import VolumeConfig
from s2s2.errors import DataError
from tests.nnunet_sets import describe, draw_nnunet, draw_pictures, draw_volume, save


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S2S2_CACHE", str(tmp_path / "cache"))


def test_ct_takes_the_window_and_classes_come_from_dataset_json(tmp_path: Path) -> None:
    data = Dataset.open(draw_nnunet(tmp_path / "Dataset001_Drawn"))
    assert [volume.id for volume in data.volumes] == ["a", "b", "c", "d"]
    assert data.class_map.names == ("background", "organ")
    assert {facts.scalings[0].kind for facts in data.cut.facts.values()} == {"window"}
    assert data.cut.config.modalities == ("CT",)  # goes into the card of a network


def test_other_names_take_percentiles_though_values_are_those_of_ct(tmp_path: Path) -> None:
    root = draw_nnunet(tmp_path / "Dataset001_Drawn", channels=("T1", "ct"))
    kinds = {f"{s.kind}" for f in Dataset.open(root).cut.facts.values() for s in f.scalings[:1]}
    assert kinds == {"percentiles"}
    data = Dataset.open(root)
    assert data.channels == 2
    assert [scaling.kind for scaling in data.cut.facts["a"].scalings] == ["percentiles", "window"]


def test_options_come_first(tmp_path: Path) -> None:
    root = draw_nnunet(tmp_path / "Dataset001_Drawn")
    chosen = Dataset.open(root, volumes=VolumeConfig(intensities="zscore"))
    assert chosen.cut.facts["a"].scalings[0].kind == "zscore"
    named = Dataset.open(root, volumes=VolumeConfig(modalities=("MR",)))
    assert named.cut.facts["a"].scalings[0].kind == "percentiles"


def test_what_a_card_says_holds_for_a_folder_that_says_nothing(tmp_path: Path) -> None:
    home = Dataset.open(draw_nnunet(tmp_path / "Dataset001_Drawn", channels=("T2",)))
    card = VolumeConfig.from_dict(home.cut.config.to_dict())
    (tmp_path / "new").mkdir()
    save(tmp_path / "new" / "x_0000.nii.gz", draw_volume(np.random.default_rng(1), (24, 20, 3))[0])
    data = Dataset.open(tmp_path / "new", masks=False, volumes=card)
    assert data.cut.facts["x"].scalings[0].kind == "percentiles"


def test_images_for_prediction_lie_in_imagests(tmp_path: Path) -> None:
    root = draw_nnunet(tmp_path / "Dataset001_Drawn", channels=("T2",))
    (root / "imagesTr").rename(root / "imagesTs")
    data = Dataset.open(root / "imagesTs", masks=False)
    assert [volume.id for volume in data.volumes] == ["a", "b", "c", "d"]
    assert data.cut.facts["a"].scalings[0].kind == "percentiles"


def test_missing_channels_are_named(tmp_path: Path) -> None:
    root = draw_nnunet(tmp_path / "Dataset001_Drawn", channels=("T1", "T2", "FLAIR"))
    (root / "imagesTr" / "b_0001.nii.gz").unlink()
    (root / "imagesTr" / "b_0002.nii.gz").unlink()
    words = (
        r"b: b_0001\.nii\.gz, b_0002\.nii\.gz missing: dataset\.json names _0000 T1, _0001 T2, _0002 FLAIR"
    )
    with pytest.raises(DataError, match=words):
        Dataset.open(root)
    report = inspect(root)
    assert [(each.rule, each.subject) for each in report.errors] == [("channels", "b")]


def test_channels_that_are_not_named_and_files_without_a_number(tmp_path: Path) -> None:
    root = draw_nnunet(tmp_path / "Dataset001_Drawn", channels=("T1", "T2"))
    describe(root, ("T1",), ".nii.gz")
    with pytest.raises(DataError, match=r"a: a_0001\.nii\.gz not named in dataset\.json, which has _0000 T1"):
        Dataset.open(root)
    root = draw_nnunet(tmp_path / "Dataset002_Drawn")
    (root / "imagesTr" / "c_0000.nii.gz").rename(root / "imagesTr" / "c.nii.gz")
    with pytest.raises(DataError, match=r"c\.nii\.gz has no number of a channel. Name it c_0000\.nii\.gz"):
        Dataset.open(root)


def test_one_channel_without_a_number_is_that_of_the_decathlon(tmp_path: Path) -> None:
    root = draw_nnunet(tmp_path / "Task01_Drawn")
    for path in (root / "imagesTr").iterdir():
        path.rename(path.with_name(path.name.replace("_0000", "")))
    assert len(Dataset.open(root).volumes) == 4


def test_several_channels_in_one_file_are_to_be_saved_apart(tmp_path: Path) -> None:
    root = draw_nnunet(tmp_path / "Task01_Drawn", ["a"])
    describe(root, ("T1", "T2"), ".nii.gz")
    (root / "imagesTr" / "a_0000.nii.gz").rename(root / "imagesTr" / "a.nii.gz")
    with pytest.raises(
        DataError, match=r"a_0000\.nii\.gz for T1 and so on, as `nnUNetv2_convert_MSD_dataset`"
    ):
        Dataset.open(root)


def test_pictures_in_colour_are_one_file(tmp_path: Path) -> None:
    data = Dataset.open(draw_pictures(tmp_path / "Dataset003_Drawn"))
    assert data.ids == ("a", "b", "c", "d", "e", "f")
    assert (data.channels, data.class_map.names) == (3, ("background", "organ"))


def test_files_of_another_ending_are_not_read(tmp_path: Path) -> None:
    root = draw_pictures(tmp_path / "Dataset003_Drawn", channels=1)
    (root / "imagesTr" / "sketch.jpg").write_bytes(b"")
    report = inspect(root)
    assert report.ok
    assert report.warnings[0].rule == "other-ending"


def test_the_number_of_modalities_is_that_of_the_channels(tmp_path: Path) -> None:
    root = draw_nnunet(tmp_path / "Dataset001_Drawn")
    with pytest.raises(DataError, match=r"a volume of 1 channel, expected 2: T1, T2"):
        Dataset.open(root, volumes=VolumeConfig(modalities=("T1", "T2")))


def test_the_same_volumes_as_plain_nifti_give_the_same_cases(tmp_path: Path) -> None:
    root, plain = draw_nnunet(tmp_path / "Dataset001_Drawn"), tmp_path / "plain"
    for folder, name in (("imagesTr", "images"), ("labelsTr", "masks")):
        (plain / name).mkdir(parents=True)
        for path in (root / folder).iterdir():
            shutil.copy(path, plain / name / path.name.replace("_0000", ""))
    one, other = Dataset.open(root, domain="site"), Dataset.open(plain, domain="site")
    assert identities(one) == identities(other)
    assert digests_of(one) == digests_of(other)
