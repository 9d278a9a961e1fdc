from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from PIL import Image

from s2s2.data.dataset import Dataset
from s2s2.data.split import Split
from s2s2.data.split_files import cases_named
from s2s2.data.volumes.config import VolumeConfig
from s2s2.data.volumes.formats import read_volume
from s2s2.errors import ConfigError, DataError, StackError
from s2s2.stack import Stack, build_stack
from s2s2.stack.nnunet import export_nnunet
from tests.data.volumes import dicom_made
from tests.drawn import draw_site
from tests.nnunet_sets import AFFINE, draw_nnunet, draw_pictures
from tests.stack.made import Echo

NAMES = ("a", "b", "c", "d", "e")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S2S2_CACHE", str(tmp_path / "cache"))


def volumes(tmp_path: Path, channels: tuple[str, ...] = ("CT",), **options: object) -> tuple[Dataset, Split]:
    """Five volumes of four slices; of two for training one slice is not learnt from."""
    data = Dataset.open(draw_nnunet(tmp_path / "Dataset001_Drawn", NAMES, channels=channels), **options)
    train = tuple(each for each in cases_named(("a", "b"), data) if each != "b_s000")
    return data, Split(train, cases_named(("c",), data), cases_named(("d", "e"), data))


def copied(home: tuple[Dataset, Split], tmp_path: Path, noise: float = 0.0, bits: int = 16) -> Stack:
    """Two copies of every training case; without noise they are its image."""
    return build_stack(Echo(noise=noise), *home, tmp_path / "stack", depth=2, seed=0, bits=bits)


def voxels(path: Path) -> np.ndarray:
    return np.asarray(nib.Nifti1Image.from_filename(path).dataobj)


def names(folder: Path) -> set[str]:
    return {path.name.removesuffix(".nii.gz").removesuffix(".png") for path in folder.iterdir()}


def test_real_cases_copies_and_one_fold(tmp_path: Path) -> None:
    home = volumes(tmp_path)
    root = tmp_path / "Dataset002_Copies"
    made = export_nnunet(copied(home, tmp_path), *home, root)
    assert made == (2, 2, 4, 1, 2, 2, 16)
    training = {"a", "a_copy0", "a_copy1", "b", "b_copy0", "b_copy1", "c"}
    assert names(root / "labelsTr") == training
    assert names(root / "imagesTr") == {f"{name}_0000" for name in training}
    assert (names(root / "imagesTs"), names(root / "labelsTs")) == ({"d_0000", "e_0000"}, {"d", "e"})
    said = json.loads((root / "dataset.json").read_text())
    assert said["channel_names"] == {"0": "CT"}
    assert said["labels"] == {"background": 0, "organ": 1}
    assert (said["numTraining"], said["file_ending"]) == (7, ".nii.gz")
    (fold,) = json.loads((root / "splits_final.json").read_text())
    assert fold == {"train": ["a", "a_copy0", "a_copy1", "b", "b_copy0", "b_copy1"], "val": ["c"]}


def test_no_copy_is_validated_on_and_no_case_that_copies_were_made_of(tmp_path: Path) -> None:
    home = volumes(tmp_path)
    root = tmp_path / "Dataset002_Copies"
    export_nnunet(copied(home, tmp_path), *home, root)
    (fold,) = json.loads((root / "splits_final.json").read_text())
    copies = {name for name in names(root / "labelsTr") if "_copy" in name}
    assert copies <= set(fold["train"])
    assert not {name.partition("_copy")[0] for name in copies} & set(fold["val"])
    assert not set(fold["train"]) & set(fold["val"])


def test_real_volumes_and_label_maps_are_as_they_were(tmp_path: Path) -> None:
    home = volumes(tmp_path)
    root, before = tmp_path / "Dataset002_Copies", tmp_path / "Dataset001_Drawn"
    export_nnunet(copied(home, tmp_path), *home, root)
    for part, name in (("Tr", "a"), ("Tr", "c"), ("Ts", "e")):
        image, labels = (
            root / f"images{part}" / f"{name}_0000.nii.gz",
            root / f"labels{part}" / f"{name}.nii.gz",
        )
        assert (voxels(image) == voxels(before / "imagesTr" / f"{name}_0000.nii.gz")).all()
        assert voxels(image).dtype == np.int16
        assert (voxels(labels) == voxels(before / "labelsTr" / f"{name}.nii.gz")).all()
        assert np.allclose(nib.Nifti1Image.from_filename(image).affine, AFFINE)
        assert np.allclose(nib.Nifti1Image.from_filename(labels).affine, AFFINE)


def test_copies_lie_in_their_volume_and_are_in_hu(tmp_path: Path) -> None:
    home = volumes(tmp_path)
    root, before = tmp_path / "Dataset002_Copies", tmp_path / "Dataset001_Drawn"
    export_nnunet(copied(home, tmp_path), *home, root)
    for name in ("a", "b"):  # of b one slice is the real one
        real = voxels(before / "imagesTr" / f"{name}_0000.nii.gz")
        copy = voxels(root / "imagesTr" / f"{name}_copy1_0000.nii.gz")
        assert copy.dtype == np.int16
        assert (copy == np.clip(real, -125, 275)).all()
        labels = voxels(root / "labelsTr" / f"{name}_copy1.nii.gz")
        assert (labels == voxels(before / "labelsTr" / f"{name}.nii.gz")).all()


def test_a_slice_without_a_copy_is_the_real_one(tmp_path: Path) -> None:
    home = volumes(tmp_path)
    root = tmp_path / "Dataset002_Copies"
    export_nnunet(copied(home, tmp_path, noise=0.1), *home, root)
    clipped = np.clip(voxels(root / "imagesTr" / "b_0000.nii.gz"), -125, 275)
    same = (voxels(root / "imagesTr" / "b_copy0_0000.nii.gz") == clipped).all(axis=(0, 1))
    assert same.sum() == 1
    assert same[3] or same[0]  # b_s000 is the first slice or the last, by the direction


def test_marked_copies_are_left_out(tmp_path: Path) -> None:
    home = volumes(tmp_path)
    stack = copied(home, tmp_path, noise=0.1)
    stack.write_marks({"a_s001": {0: ["unfaithful"]}, **{f"b_s00{n}": {1: ["memorised"]} for n in (1, 2, 3)}})
    root = tmp_path / "Dataset002_Copies"
    made = export_nnunet(stack, *home, root)
    assert (made.copies, made.real_slices) == (3, 2)
    assert "b_copy1" not in names(root / "labelsTr")


def test_other_units_come_back_channel_by_channel(tmp_path: Path) -> None:
    home = volumes(tmp_path, channels=("T1", "T2"))
    root, before = tmp_path / "Dataset002_Copies", tmp_path / "Dataset001_Drawn"
    export_nnunet(copied(home, tmp_path), *home, root)
    for channel in (0, 1):
        scaling = home[0].cut.facts["a"].scalings[channel]
        real = voxels(before / "imagesTr" / f"a_{channel:04d}.nii.gz").astype(np.float32)
        copy = voxels(root / "imagesTr" / f"a_copy0_{channel:04d}.nii.gz")
        assert copy.dtype == np.float32
        step = (scaling.high - scaling.low) / 65535
        assert np.abs(copy - np.clip(real, scaling.low, scaling.high)).max() <= step
    said = json.loads((root / "dataset.json").read_text())
    assert said["channel_names"] == {"0": "T1", "1": "T2"}


def test_copies_are_brought_to_the_grid_of_their_volume(tmp_path: Path) -> None:
    data, split = volumes(tmp_path)
    home = (data.resized(12), split)
    root = tmp_path / "Dataset002_Copies"
    export_nnunet(copied(home, tmp_path), *home, root)
    assert voxels(root / "imagesTr" / "a_copy0_0000.nii.gz").shape == (24, 20, 4)
    clipped = np.clip(voxels(root / "imagesTr" / "a_0000.nii.gz"), -125, 275)
    assert np.abs(voxels(root / "imagesTr" / "a_copy0_0000.nii.gz") - clipped).mean() < 40


@pytest.mark.parametrize("channels", [1, 3])
def test_flat_images_are_png(tmp_path: Path, channels: int) -> None:
    data = Dataset.open(draw_pictures(tmp_path / "Dataset001_Drawn", channels=channels))
    home = (data, Split(("a", "b", "c"), ("d",), ("e", "f")))
    root = tmp_path / "Dataset002_Copies"
    made = export_nnunet(copied(home, tmp_path, bits=8), *home, root, copies=1)
    assert made == (2, 3, 3, 1, 2, 0, 0)
    assert {path.name for path in (root / "imagesTr").iterdir()} == {
        f"{name}_0000.png" for name in ("a", "a_copy0", "b", "b_copy0", "c", "c_copy0", "d")
    }
    real = np.asarray(Image.open(tmp_path / "Dataset001_Drawn" / "imagesTr" / "a_0000.png"))
    for name in ("a", "a_copy0"):
        assert (np.asarray(Image.open(root / "imagesTr" / f"{name}_0000.png")) == real).all()
    assert np.asarray(Image.open(root / "labelsTr" / "a_copy0.png")).max() == 1
    said = json.loads((root / "dataset.json").read_text())
    assert list(said["channel_names"].values()) == list("RGB"[:channels])


def test_a_folder_of_images_and_masks_gets_class_ids_and_groups(tmp_path: Path) -> None:
    data = Dataset.open(draw_site(tmp_path / "site", cases=8))
    home = (data, Split(data.ids[:4], data.ids[4:6], data.ids[6:]))
    root = tmp_path / "Dataset002_Copies"
    export_nnunet(copied(home, tmp_path, bits=8), *home, root)
    assert np.unique(np.asarray(Image.open(root / "labelsTr" / "case_00.png"))).tolist() == [0, 1]
    again = Dataset.open(root)  # and is a data set that s2s2 reads
    assert len(again) == 4 + 8 + 2
    assert again.case("case_01_copy1").group == again.case("case_00").group == "group_0"


def test_an_interrupted_export_goes_on(tmp_path: Path) -> None:
    home = volumes(tmp_path)
    stack, root = copied(home, tmp_path), tmp_path / "Dataset002_Copies"
    calls = []

    def stop(done: int, total: int) -> None:
        calls.append(total)
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_nnunet(stack, *home, root, progress=stop)
    assert not (root / "dataset.json").exists()
    kept = {path: path.stat().st_mtime_ns for path in root.rglob("*.nii.gz")}
    (root / "imagesTr" / ".1-ab.part.gz").write_bytes(b"")
    made = export_nnunet(stack, *home, root)
    assert calls[0] == 9 == made.train + made.copies + made.validation + made.test
    assert all(path.stat().st_mtime_ns == time for path, time in kept.items())
    assert not list(root.rglob("*.part*"))
    assert export_nnunet(stack, *home, root) == made


def test_another_folder_is_refused_and_left_alone(tmp_path: Path) -> None:
    home = volumes(tmp_path)
    stack, root = copied(home, tmp_path), tmp_path / "Dataset002_Copies"
    root.mkdir()
    (root / "notes.txt").write_text("mine")
    with pytest.raises(StackError, match=r"is not empty: it holds notes\.txt. Nothing was changed"):
        export_nnunet(stack, *home, root)
    (root / "notes.txt").unlink()
    export_nnunet(stack, *home, root)
    with pytest.raises(StackError, match=r"made of other inputs: copies was 2, now 1"):
        export_nnunet(stack, *home, root, copies=1)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("copies", "three digits and a name"),
        ("Dataset01_Heart", "three digits"),
        ("Dataset001_Heart", "its number"),
    ],
)
def test_names_that_nnunet_does_not_find(tmp_path: Path, name: str, words: str) -> None:
    home = volumes(tmp_path)
    with pytest.raises(ConfigError, match=words):
        export_nnunet(copied(home, tmp_path), *home, tmp_path / name)
    assert not (tmp_path / name).exists()


def test_what_cannot_be_exported(tmp_path: Path) -> None:
    home = volumes(tmp_path)
    stack, root = copied(home, tmp_path), tmp_path / "Dataset002_Copies"
    with pytest.raises(ConfigError, match=r"--copies is 3, expected 1 to 2"):
        export_nnunet(stack, *home, root, copies=3)
    data, split = home
    other = Split(split.train[:4], split.train[4:], split.test)
    with pytest.raises(StackError, match="not training cases"):
        export_nnunet(stack, data, other, root)
    neighbours = Dataset.open(data.root, volumes=VolumeConfig(neighbours=1))
    with pytest.raises(StackError, match=r"--volumes\.neighbours 0"):
        export_nnunet(stack, neighbours, split, root)
    assert not root.exists()


def test_class_names_that_nnunet_keeps(tmp_path: Path) -> None:
    from s2s2.data.classes import ClassMap

    root = draw_pictures(tmp_path / "Dataset001_Drawn")
    data = Dataset.open(root, class_map=ClassMap.parse(["other=0", "ignore=1"]))
    home = (data, Split(("a", "b", "c"), ("d",), ("e", "f")))
    with pytest.raises(DataError, match="A class is named ignore"):
        export_nnunet(copied(home, tmp_path, bits=8), *home, tmp_path / "Dataset002_Copies")


def test_names_that_copies_would_have(tmp_path: Path) -> None:
    names = ("a", "a_copy0", "b", "c")
    data = Dataset.open(draw_pictures(tmp_path / "Dataset001_Drawn", names))
    home = (data, Split(("a",), ("a_copy0",), ("b", "c")))
    with pytest.raises(StackError, match="A case is named a_copy0"):
        export_nnunet(copied(home, tmp_path, bits=8), *home, tmp_path / "Dataset002_Copies")


def test_a_dicom_series_becomes_nifti_in_hu(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for patient in "abc":
        pixels = rng.integers(0, 2000, (3, 16, 12), dtype=np.uint16)
        for number, plane in enumerate(pixels):
            changes = {"PatientID": patient, "SeriesInstanceUID": dicom_made.uid(patient)}
            path = tmp_path / "site" / "images" / patient / f"{number}.dcm"
            dicom_made.save(dicom_made.slice_of(plane, number, **changes), path)
        raw = read_volume(tmp_path / "site" / "images" / patient)
        labels = np.zeros(raw.voxels.shape, np.uint8)
        labels[3:7, 3:7] = 1
        (tmp_path / "site" / "masks").mkdir(exist_ok=True)
        nib.Nifti1Image(labels, raw.affine).to_filename(tmp_path / "site" / "masks" / f"{patient}.nii.gz")
    data = Dataset.open(tmp_path / "site")
    home = (data, Split(*(cases_named((patient,), data) for patient in "abc")))
    root = tmp_path / "Dataset002_Copies"
    export_nnunet(copied(home, tmp_path), *home, root)
    raw = read_volume(tmp_path / "site" / "images" / "a")
    for name in ("a", "a_copy0"):
        image = nib.Nifti1Image.from_filename(root / "imagesTr" / f"{name}_0000.nii.gz")
        hu = raw.values(raw.voxels)
        assert image.get_data_dtype() == np.int16
        assert (np.asarray(image.dataobj) == (hu if name == "a" else np.clip(hu, -125, 275))).all()
        assert np.allclose(image.affine, raw.affine, atol=1e-4)
    assert json.loads((root / "dataset.json").read_text())["channel_names"] == {"0": "CT"}
