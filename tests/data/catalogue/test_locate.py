"""Public data sets are read from tiny files in exactly the layout that they are distributed in."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from s2s2.data.catalogue.info import describe_dataset
from s2s2.data.catalogue.locate import Selection, locate
from s2s2.data.checking.inspection import inspect
from s2s2.data.dataset import Dataset
from s2s2.data.reading.layouts import discover
from s2s2.errors import ConfigError, DataError
from tests.public_sets import LAYOUTS, draw_nuclei, draw_public


@pytest.mark.parametrize("name", LAYOUTS)
def test_cases_groups_domains_and_masks_of_a_layout(name: str, tmp_path: Path) -> None:
    masks = draw_public(tmp_path, name)
    dataset = Dataset.open(tmp_path, dataset=name)
    found = [(case.id, case.group, case.domain) for case in dataset]
    assert found == [(each.case, each.group, each.domain) for each in LAYOUTS[name]]
    for case, each in zip(dataset, LAYOUTS[name], strict=True):
        assert case.image_path == tmp_path / each.image
        assert case.mask_path == tmp_path / each.mask
        assert np.array_equal(dataset.original_mask(case), masks[case.id])
    findings = inspect(tmp_path, dataset=name)
    assert findings.errors == ()
    assert findings.summary["class_map"] == dataset.class_map.to_dict()


@pytest.mark.parametrize("name", LAYOUTS)
def test_images_alone_are_found_for_prediction(name: str, tmp_path: Path) -> None:
    draw_public(tmp_path, name)
    for each in LAYOUTS[name]:
        (tmp_path / each.mask).unlink()
    cases = discover(tmp_path, dataset=name, masks_required=False).cases
    assert [(case.id, case.mask_path) for case in cases] == [(each.case, None) for each in LAYOUTS[name]]


def test_the_folder_may_lie_in_one_of_the_archive(tmp_path: Path) -> None:
    draw_public(tmp_path / "download" / "CVC-ClinicDB", "cvc-clinicdb")
    assert len(discover(tmp_path, dataset="cvc-clinicdb").cases) == 4
    shutil.copytree(tmp_path / "download" / "CVC-ClinicDB", tmp_path / "download" / "again")
    with pytest.raises(DataError, match=r"holds CVC-ClinicDB 2 times: CVC-ClinicDB, again\. Give one"):
        discover(tmp_path, dataset="cvc-clinicdb")


def test_another_layout_is_refused_with_what_is_expected_and_the_page(tmp_path: Path) -> None:
    draw_public(tmp_path / "kvasir", "kvasir-seg")
    with pytest.raises(DataError) as refused:
        discover(tmp_path / "kvasir", dataset="cvc-clinicdb")
    said = str(refused.value)
    assert (
        "Expected, in it or in a folder of it, files such as Original/1.tif with Ground Truth/1.tif" in said
    )
    assert "It holds images/, masks/." in said
    assert "Get the data from https://polyp.grand-challenge.org/CVCClinicDB/" in said
    assert "`s2s2 datasets cvc-clinicdb` shows the whole layout" in said


@pytest.mark.parametrize(
    ("made", "said"), [("nothing", "nothing at this path"), ("file", "is a file"), ("folder", "It is empty")]
)
def test_a_folder_that_is_not_there_gets_the_page_too(made: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "drive"
    if made == "file":
        path.write_text("")
    elif made == "folder":
        path.mkdir()
    with pytest.raises(DataError, match=rf"{said}.* Get the data from https://drive\.grand-challenge\.org"):
        discover(path, dataset="drive")


def test_domains_are_chosen_by_name(tmp_path: Path) -> None:
    draw_public(tmp_path, "polypgen")
    chosen = discover(tmp_path, dataset="polypgen/C1+C6").cases
    assert {case.domain for case in chosen} == {"C1", "C6"}
    assert {case.domain for case in discover(tmp_path, dataset="polypgen", domain="all").cases} == {"all"}
    with pytest.raises(DataError, match=r"holds no case of C5 of PolypGen"):
        discover(tmp_path, dataset="polypgen/C5")
    with pytest.raises(ConfigError, match=r"no domain 'C7', expected C1, C2"):
        discover(tmp_path, dataset="polypgen/C7")
    with pytest.raises(ConfigError, match=r"no domain 'x', expected none: it has one"):
        discover(tmp_path, dataset="drive/x")


def test_a_missing_mask_is_an_error_where_every_image_has_one(tmp_path: Path) -> None:
    draw_public(tmp_path, "kvasir-seg")
    (tmp_path / LAYOUTS["kvasir-seg"][1].mask).unlink()
    problems = discover(tmp_path, dataset="kvasir-seg").problems
    assert [(each.level, each.rule, each.subject) for each in problems] == [
        ("error", "image-without-mask", LAYOUTS["kvasir-seg"][1].case)
    ]
    with pytest.raises(DataError, match=r"has no mask masks/\{case\}\.jpg\. Add it, or take the image out"):
        Dataset.open(tmp_path, dataset="kvasir-seg")


def test_images_without_masks_are_left_out_where_the_data_set_has_such(tmp_path: Path) -> None:
    draw_public(tmp_path, "drive")
    shutil.rmtree(tmp_path / "test" / "1st_manual")
    found = discover(tmp_path, dataset="drive")
    assert [case.id for case in found.cases] == ["training/21", "training/22"]
    assert [(each.level, each.rule) for each in found.problems] == [("warning", "images-without-masks")]
    assert found.problems[0].message.startswith("1 images have no mask")


def test_groups_of_the_user_come_first(tmp_path: Path) -> None:
    draw_public(tmp_path, "cvc-clinicdb")
    assert {case.group for case in discover(tmp_path, dataset="cvc-clinicdb", groups=r"^(\d)").cases} == set(
        "126"
    )
    lines = [f"{each.case},all" for each in LAYOUTS["cvc-clinicdb"]]
    (tmp_path / "groups.csv").write_text("\n".join(["case,group", *lines]))
    assert {case.group for case in discover(tmp_path, dataset="cvc-clinicdb").cases} == {"all"}


def test_names_of_a_mac_are_the_same_cases(tmp_path: Path) -> None:
    draw_public(tmp_path, "kvasir-seg")
    for folder in ("images", "masks"):
        (tmp_path / folder / f"{LAYOUTS['kvasir-seg'][0].case}.jpg").rename(tmp_path / folder / "e\u0301.jpg")
        (tmp_path / folder / "._cju0.jpg").write_text("")
    cases = discover(tmp_path, dataset="kvasir-seg").cases
    assert len(cases) == 3
    assert "\u00e9" in {case.id for case in cases}


def test_masks_of_several_files_are_read_after_they_were_written_once(tmp_path: Path) -> None:
    draw_nuclei(tmp_path)
    with pytest.raises(DataError, match=r"not one file an image.*`s2s2 datasets dsb2018 --data .* --output"):
        discover(tmp_path, dataset="dsb2018")
    assert len(discover(tmp_path / "stage1_train" / "..", dataset="dsb2018", masks_required=False).cases) == 2


def test_volumes_are_located(tmp_path: Path) -> None:
    for path in ("patient001_frame01.nii.gz", "patient001_frame01_gt.nii.gz", "patient001_4d.nii.gz"):
        (tmp_path / "training" / "patient001").mkdir(parents=True, exist_ok=True)
        (tmp_path / "training" / "patient001" / path).write_text("")
    cases = locate(Selection.parse("acdc"), tmp_path).cases
    assert [(each.case.id, each.case.group, each.files.kind) for each in cases] == [
        ("patient001_frame01", "patient001", "volume")
    ]


VOLUMES = {
    "acdc": (
        "training/patient001/patient001_frame01.nii.gz",
        "training/patient001/patient001_frame01_gt.nii.gz",
    ),
    "btcv": ("RawData/Training/img/img0001.nii.gz", "RawData/Training/label/label0001.nii.gz"),
    "sabs": ("RawData/Training/img/img0001.nii.gz", "RawData/Training/label/label0001.nii.gz"),
    "mscmrseg": ("c0t2lge/patient1_LGE.nii.gz", "lgegt/patient1_LGE_manual.nii.gz"),
    "slaug-abdomen": ("CHAOST2/processed/image_1.nii.gz", "CHAOST2/processed/label_1.nii.gz"),
    "slaug-cardiac": ("processed/bSSFP/image_1.nii.gz", "processed/bSSFP/label_1.nii.gz"),
}
FOUND = {
    "acdc": ("patient001_frame01", "patient001", "acdc"),
    "btcv": ("0001", "0001", "btcv"),
    "sabs": ("0001", "0001", "sabs"),
    "mscmrseg": ("LGE/patient1", "patient1", "LGE"),
    "slaug-abdomen": ("CHAOST2/1", "CHAOST2/1", "CHAOST2"),
    "slaug-cardiac": ("bSSFP/1", "patient1", "bSSFP"),
}


@pytest.mark.parametrize("name", VOLUMES)
def test_slices_of_volumes_are_cases_and_labels_get_their_names(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nib = pytest.importorskip("nibabel")
    monkeypatch.setenv("S2S2_CACHE", str(tmp_path / "cache"))
    class_map = describe_dataset(name).class_map
    labels = [values[0] for values in class_map.values]
    classes = np.arange(16 * 20 * 3).reshape(16, 20, 3) ** 2 % 11 % len(labels)
    image = np.random.default_rng(0).integers(-300, 900, classes.shape).astype(np.int16)
    affine = np.diag((1.5, 1.5, 8.0, 1.0))
    written = np.array(labels, np.int16)[classes]
    for path, voxels in zip(VOLUMES[name], (image, written), strict=True):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        nib.save(nib.Nifti1Image(voxels, affine), tmp_path / path)
    dataset = Dataset.open(tmp_path, dataset=name)
    case_id, group, domain = FOUND[name]
    assert [(case.volume, case.group, case.domain, case.slice) for case in dataset] == [
        (case_id, group, domain, number) for number in range(3)
    ]
    assert dataset.class_map == class_map
    for case in dataset:
        counts = np.bincount(dataset.original_mask(case).ravel(), minlength=len(labels))
        expected = np.bincount(classes[..., case.slice].ravel(), minlength=len(labels))
        assert counts.tolist() == expected.tolist()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "acdc-slices",
            {
                ("patient001_frame01", 0, "patient001"): "ACDC_training_slices/patient001_frame01_slice_0.h5",
                ("patient001_frame12", 0, "patient001"): "ACDC_training_slices/patient001_frame12_slice_0.h5",
            },
        ),
        (
            "synapse-transunet",
            {
                ("case0005", 0, "case0005"): "train_npz/case0005_slice000.npz",
                ("case0005", 1, "case0005"): "train_npz/case0005_slice001.npz",
                ("case0001", 0, "case0001"): "test_vol_h5/case0001.npy.h5",
            },
        ),
    ],
)
def test_arrays_are_read_as_they_are_distributed(
    name: str, expected: dict[tuple[str, int, str], str], tmp_path: Path
) -> None:
    h5py = pytest.importorskip("h5py")
    class_map = describe_dataset(name).class_map
    classes = np.arange(16 * 20).reshape(16, 20) % len(class_map.names)
    image = (classes / len(class_map.names)).astype(np.float32)
    for path in expected.values():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        if path.endswith(".npz"):
            np.savez(tmp_path / path, image=image, label=classes.astype(np.float32))
            continue
        with h5py.File(tmp_path / path, "w") as file:
            file["image"], file["label"] = image, classes
    dataset = Dataset.open(tmp_path, dataset=name)
    assert {(case.volume, case.slice, case.group) for case in dataset} == {*expected}
    assert dataset.class_map == class_map
    for case in dataset:
        np.testing.assert_array_equal(dataset.original_mask(case), classes)


def test_two_files_of_one_case_are_an_error(tmp_path: Path) -> None:
    draw_public(tmp_path, "cvc-clinicdb")
    for folder in ("Original", "Ground Truth"):
        shutil.copy(tmp_path / folder / "1.tif", tmp_path / folder / "1.png")
    problems = discover(tmp_path, dataset="cvc-clinicdb").problems
    assert [(each.level, each.rule, each.subject) for each in problems] == [("error", "same-name", "1")]
