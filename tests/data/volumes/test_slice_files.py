from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from s2s2.cli import main
from s2s2.data import Dataset
from s2s2.data.checking.inspection import inspect
from s2s2.data.volumes.config import VolumeConfig
from s2s2.data.volumes.masks import volume_mask
from s2s2.errors import DataError
from tests.data.volumes.dicom_made import save, slice_of, uid
from tests.drawn_volumes import disc, save as save_nifti

LEVELS = np.array([0, 63, 126, 189, 252], np.uint8)
SLICES, ROWS, COLUMNS = 4, 12, 10
PLAIN = [1.0, 0, 0, 0, 1, 0]
PERCENTILES = VolumeConfig(percentiles=(0, 100))


def labels_of(seed: int) -> np.ndarray:
    """Class ids 0 to 4 (slice, row, column), of each slice others; the last slice holds none."""
    labels = np.random.default_rng(seed).integers(0, 5, (SLICES, ROWS, COLUMNS), dtype=np.uint8)
    labels[-1] = 0
    return labels


def draw_series(
    folder: Path, labels: np.ndarray, names: list[str], *, down: bool = False, **changes: Any
) -> None:
    """Write slices that show their labels, whose names run from feet to head, or down."""
    for number, name in enumerate(names):
        height = 8.0 * (len(names) - number if down else number)
        place = {"ImagePositionPatient": [0.0, 0.0, height], "ImageOrientationPatient": PLAIN}
        pixels = labels[number].astype(np.uint16) * 100
        save(slice_of(pixels, number, **{**place, "Modality": "MR", **changes}), folder / name)


def draw_masks(folder: Path, labels: np.ndarray, names: list[str], levels: np.ndarray = LEVELS) -> None:
    folder.mkdir(parents=True)
    for each, name in zip(labels, names, strict=True):
        Image.fromarray(levels[each]).save(folder / name)


def draw_chaos(root: Path, patient: int) -> None:
    """Write a patient of both sequences, T1-DUAL from feet to head and T2-SPIR from head to feet."""
    for sequence, first, step, down in (("T1DUAL", 2, 2, False), ("T2SPIR", 1, 1, True)):
        names = [f"IMG-0004-{number:05d}" for number in range(first, first + step * SLICES, step)]
        labels, place = labels_of(patient), root / "Train_Sets" / "MR" / str(patient) / sequence
        inner = place / "DICOM_anon"
        series = uid(sequence, patient)
        if sequence == "T1DUAL":
            odd = [f"IMG-0004-{number:05d}.dcm" for number in range(1, 2 * SLICES, 2)]
            draw_series(inner / "OutPhase", 4 - labels, odd, SeriesInstanceUID=series)
            inner /= "InPhase"
        draw_series(inner, labels, [f"{name}.dcm" for name in names], down=down, SeriesInstanceUID=series)
        draw_masks(place / "Ground", labels, [f"{name}.png" for name in names])


def assert_masks_lie_on_images(data: Dataset, classes: int = 5) -> None:
    for case in data:
        seen = np.rint(data.image(case)[0] * (classes - 1))
        np.testing.assert_array_equal(seen, data.original_mask(case))


def test_chaos_is_read_as_it_is_distributed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for patient in (1, 10):
        draw_chaos(tmp_path, patient)
    data = Dataset.open(tmp_path, dataset="chaos", volumes=PERCENTILES)
    found = [(volume.id, volume.group, volume.domain, len(volume.cases)) for volume in data.volumes]
    assert found == [
        (f"{sequence}/{patient}", f"patient{patient}", sequence, SLICES)
        for sequence in ("T1", "T2")
        for patient in (1, 10)
    ]
    assert data.class_map.names == ("background", "liver", "right_kidney", "left_kidney", "spleen")
    assert_masks_lie_on_images(data)
    assert inspect(tmp_path, dataset="chaos").errors == ()
    assert main(["check", str(tmp_path), "--dataset", "chaos/T2"]) == 0, capsys.readouterr()
    # From feet to head: what lies highest has the first name in T2-SPIR, the last in T1-DUAL.
    for number, step in ((0, 1), (3, -1)):
        np.testing.assert_array_equal(
            volume_mask(data, data.volumes[number]), labels_of((1, 10)[number % 2])[::step]
        )


def test_ct_of_chaos_is_read_by_the_order_of_the_names(tmp_path: Path) -> None:
    labels = labels_of(0) // 4
    place = tmp_path / "CT" / "2"
    names = [f"i{number:04d},0000b.dcm" for number in range(SLICES)]
    draw_series(place / "DICOM_anon", labels, names, down=True, Modality="CT")
    masks = [f"liver_GT_{number:03d}.png" for number in range(SLICES)]
    draw_masks(place / "Ground", labels, masks, np.array([0, 255], np.uint8))
    data = Dataset.open(tmp_path, dataset="chaos-ct", volumes=VolumeConfig(window=(-1024.0, -924.0)))
    assert data.class_map.names == ("background", "liver")
    assert_masks_lie_on_images(data, classes=2)
    assert [volume.id for volume in data.volumes] == ["2"]


@pytest.mark.parametrize("manifest", [False, True])
def test_folders_of_ones_own_may_have_such_masks(tmp_path: Path, manifest: bool) -> None:
    home, names = tmp_path / "home", ["s9", "s10", "s11", "s8"]
    draw_series(home / "images" / "p1", labels_of(3), names, down=True)
    # Nine comes before ten, whatever the names are filled up with.
    order = [3, 0, 1, 2]
    draw_masks(home / "masks" / "p1", labels_of(3)[order], [f"{number:03d}.png" for number in range(SLICES)])
    voxels, labels = disc(0)
    save_nifti(home / "images" / "p2.nii.gz", voxels)
    save_nifti(home / "masks" / "p2.nii.gz", LEVELS[labels])
    path = home
    if manifest:
        path = tmp_path / "home" / "list.csv"
        with open(path, "w", newline="") as file:
            rows = [(f"images/{name}", f"masks/{name}") for name in ("p1", "p2.nii.gz")]
            csv.writer(file).writerows([("image", "mask"), *rows])
    data = Dataset.open(path, volumes=PERCENTILES)
    assert len(data.volumes) == 2
    assert_masks_lie_on_images(data.subset([case.id for case in data if case.volume == "p1"]))


def test_a_mask_is_cut_again_when_its_files_are_renamed(tmp_path: Path) -> None:
    home = tmp_path / "home"
    draw_series(home / "images" / "p1", labels_of(3), [f"a{number}" for number in range(SLICES)])
    draw_masks(home / "masks" / "p1", labels_of(3), [f"{number}.png" for number in range(SLICES)])
    before = volume_mask(data := Dataset.open(home), data.volumes[0])
    for number in range(SLICES):
        (home / "masks" / "p1" / f"{number}.png").rename(home / "masks" / "p1" / f"m{SLICES - number}.png")
    after = volume_mask(data := Dataset.open(home), data.volumes[0])
    np.testing.assert_array_equal(after, before[::-1])


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        ("missing", r"mask .*p1 has 3 images, its series .*p1 4 files\. Expected an image for each slice"),
        ("names", r"share some names alone: x belong to no slice, s3 have no mask"),
        ("size", r"s2\.png is 10 x 12 pixels, its slice .*s2\.dcm 12 x 10 \(height x width\)"),
        ("cut", r"s2\.png cannot be read as an image"),
        ("one file", r"is a folder of 4 images, and its image .*p1\.nii is one file"),
    ],
)
def test_masks_that_do_not_fit_their_series_are_refused(tmp_path: Path, harm: str, said: str) -> None:
    home, names = tmp_path / "home", [f"s{number}" for number in range(SLICES)]
    masks, labels = home / "masks" / "p1", labels_of(1)
    draw_series(home / "images" / "p1", labels, [f"{name}.dcm" for name in names])
    draw_masks(masks, labels, [f"{name}.png" for name in names])
    image = "images/p1"
    if harm == "missing":
        (masks / "s1.png").unlink()
    elif harm == "names":
        (masks / "s3.png").rename(masks / "x.png")
    elif harm == "size":
        Image.fromarray(LEVELS[labels[2].T]).save(masks / "s2.png")
    elif harm == "cut":
        (masks / "s2.png").write_bytes((masks / "s2.png").read_bytes()[:40])
    else:
        image = "p1.nii"
        save_nifti(home / image, labels.T.astype(np.int16))
    (home / "list.csv").write_text(f"image,mask\n{image},masks/p1\n")
    with pytest.raises(DataError, match=said):
        Dataset.open(home / "list.csv")
