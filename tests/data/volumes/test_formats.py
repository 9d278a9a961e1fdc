"""One volume in every format: the same cases come out, byte by byte."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK

from s2s2.core.records import content_digest
from s2s2.data import Dataset
from s2s2.data.volumes.config import VolumeConfig
from s2s2.data.volumes.dicom_seg import write as write_seg
from s2s2.data.volumes.formats import read_volume, reader_named, reader_of
from s2s2.data.volumes.raw import LPS_TO_RAS
from s2s2.errors import DataError
from tests.data.volumes.dicom_made import save_enhanced, save_series

VOXELS = np.random.default_rng(3).integers(0, 2000, (4, 12, 10)).astype(np.uint16)
"""Stored numbers (slice, row, column), 1024 above HU."""
LABELS = (VOXELS > 1200).astype(np.uint8)


def draw(root: Path, kind: str) -> Path:
    """Write the volume p1 with its mask in a format."""
    series = save_series(root.parent / "series" / "p1", VOXELS, PatientID="")
    affine = read_volume(series).affine
    images, masks = root / "images", root / "masks"
    masks.mkdir(parents=True)
    images.mkdir()
    if kind == "dicom":
        save_series(images / "p1", VOXELS, PatientID="")
        write_seg(masks / "p1.dcm", LABELS.T, affine, series, ("background", "bright"))
        return root
    if kind == "enhanced":
        save_enhanced(images / "p1.dcm", VOXELS)
        write_seg(masks / "p1.dcm", LABELS.T, affine, series, ("background", "bright"))
        return root
    for folder, array in ((images, VOXELS.astype(np.int16) - 1024), (masks, LABELS)):
        if kind == ".nii.gz":
            nibabel.Nifti1Image(array.T, affine).to_filename(folder / "p1.nii.gz")
            continue
        made, lps = SimpleITK.GetImageFromArray(array), LPS_TO_RAS @ affine
        spacing = np.linalg.norm(lps[:3, :3], axis=0)
        made.SetSpacing(spacing.tolist())
        made.SetOrigin(lps[:3, 3].tolist())
        made.SetDirection((lps[:3, :3] / spacing).ravel().tolist())
        SimpleITK.WriteImage(made, str(folder / f"p1{kind}"))
    return root


def contents(root: Path) -> list[tuple[str, str, str]]:
    """Return id, image and mask of every case, by the bytes of its files."""
    dataset = Dataset.open(root, volumes=VolumeConfig(axis="axial"))
    return [(case.id, content_digest(case.image_path), content_digest(case.mask_path)) for case in dataset]


@pytest.mark.parametrize("kind", ["dicom", "enhanced", ".nrrd", ".nhdr", ".mha", ".mhd"])
def test_cases_are_those_of_nifti(kind: str, tmp_path: Path) -> None:
    assert contents(draw(tmp_path / "other", kind)) == contents(draw(tmp_path / "nifti", ".nii.gz"))


def test_formats_are_known_by_name() -> None:
    for name in ("nifti", "dicom", "dicom-seg", "nrrd", "metaimage", "arrays"):
        assert reader_named(name).name == name
    with pytest.raises(DataError, match="no format of volumes 'other', known are nifti, dicom"):
        reader_named("other")


def test_flat_images_are_no_volumes(tmp_path: Path) -> None:
    for name in ("a.png", "a.TIF", "a.gif", "a.txt", "a"):
        assert reader_of(tmp_path / name) is None


@pytest.mark.parametrize("suffix", [".nii.gz", ".nii", ".nrrd", ".mha", ".h5"])
def test_a_folder_named_like_a_volume_is_a_folder(suffix: str, tmp_path: Path) -> None:
    """As programs leave it that unpack a file into a folder of its name."""
    draw(tmp_path / "a", ".nii.gz")
    for part in ("images", "masks"):
        folder = tmp_path / "b" / part / f"p1{suffix}"
        folder.mkdir(parents=True)
        (tmp_path / "a" / part / "p1.nii.gz").rename(folder / "p1.nii.gz")
        assert reader_of(folder) is None
    assert len(Dataset.open(tmp_path / "b")) == 4
