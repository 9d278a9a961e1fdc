from __future__ import annotations

import shutil
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
import SimpleITK
from pydicom.uid import JPEG2000Lossless

from s2s2.cli import main
from s2s2.data import Dataset
from s2s2.data.reading.layouts import discover
from s2s2.data.volumes.formats import read_volume, reader_of
from s2s2.data.volumes.masks import volume_mask
from s2s2.errors import DataError
from tests.data.volumes.dicom_made import numbers, save, save_enhanced, save_series, slice_of, uid


def test_a_series_lies_where_simpleitk_says(tmp_path: Path) -> None:
    folder = save_series(tmp_path / "p", numbers())
    volume = read_volume(folder)
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    image = reader.Execute()
    np.testing.assert_array_equal(volume.values(volume.voxels).T, SimpleITK.GetArrayFromImage(image))
    for index in ((0, 0, 0), (4, 0, 0), (0, 5, 0), (4, 5, 3)):
        left, back, head = image.TransformIndexToPhysicalPoint(index)
        np.testing.assert_allclose((volume.affine @ [*index, 1])[:3], [-left, -back, head], atol=1e-6)
    assert (volume.modality, volume.patient, volume.format) == ("CT", "p7", "dicom")
    # Stored numbers stay as they are; the values are HU.
    assert volume.voxels.dtype == np.uint16
    assert (volume.slope, volume.intercept) == (1.0, -1024.0)


def test_the_distance_of_slices_is_that_of_their_positions(tmp_path: Path) -> None:
    volume = read_volume(save_series(tmp_path / "p", numbers(), SliceThickness=7.0))
    assert np.linalg.norm(volume.affine[:3, 2]) == pytest.approx(2.0)


def test_a_tilted_gantry_keeps_its_slant(tmp_path: Path) -> None:
    tilted = {k: {"ImagePositionPatient": [0.0, 0.5 * k, 2.0 * k]} for k in range(4)}
    plain = [1.0, 0, 0, 0, 1, 0]
    volume = read_volume(save_series(tmp_path / "p", numbers(), tilted, ImageOrientationPatient=plain))
    np.testing.assert_allclose(volume.affine[:3, 2], [0, -0.5, 2.0])


def test_one_slice_is_as_thick_as_it_says(tmp_path: Path) -> None:
    path = save(slice_of(numbers()[0], 0), tmp_path / "a.dcm")
    volume = read_volume(path)
    assert volume.voxels.shape == (5, 6, 1)
    assert np.linalg.norm(volume.affine[:3, 2]) == pytest.approx(3.0)


@pytest.mark.parametrize("name", ["p/one", "p/one.dcm"])
def test_an_enhanced_file_is_the_same_volume(tmp_path: Path, name: str) -> None:
    series = read_volume(save_series(tmp_path / "series", numbers()))
    path = save_enhanced(tmp_path / name, numbers())
    enhanced = read_volume(path if path.suffix else path.parent)
    np.testing.assert_array_equal(enhanced.voxels, series.voxels)
    np.testing.assert_allclose(enhanced.affine, series.affine)
    assert enhanced.intercept == -1024.0


def test_jpeg_2000_is_read(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 4000, (3, 32, 32)).astype(np.uint16)
    folder = save_series(tmp_path / "p", pixels)
    for path in folder.iterdir():
        file = pydicom.dcmread(path)
        file.compress(JPEG2000Lossless, generate_instance_uid=False)
        file.save_as(path)
    np.testing.assert_array_equal(read_volume(folder).voxels, pixels.T)


def test_a_rescale_of_each_slice_is_applied_to_each(tmp_path: Path) -> None:
    slopes = {k: {"RescaleSlope": 0.5 * (k + 1), "RescaleIntercept": 1.0} for k in range(4)}
    volume = read_volume(save_series(tmp_path / "p", numbers(), slopes, Modality="PT"))
    factors = np.array([0.5, 1.0, 1.5, 2.0])[:, None, None]
    np.testing.assert_allclose(volume.values(volume.voxels).T, numbers() * factors + 1)
    assert (volume.slope, volume.intercept) == (1.0, 0.0)


def test_signed_and_unsigned_slices_keep_their_values(tmp_path: Path) -> None:
    folder = save_series(tmp_path / "p", numbers())
    path = folder / "IM0003"
    save(slice_of(np.full((6, 5), -7, np.int16), 0), path)
    voxels = read_volume(folder).voxels
    assert (voxels[..., 0] == -7).all()
    np.testing.assert_array_equal(voxels[..., 1:], numbers()[1:].T)


def test_documents_and_hidden_files_are_no_slices(tmp_path: Path) -> None:
    folder = save_series(tmp_path / "p", numbers())
    for name in ("DICOMDIR", ".DS_Store", "readme.txt", "viewer.exe"):
        (folder / name).write_bytes(b"")
    assert read_volume(folder).voxels.shape == (5, 6, 4)


def test_folders_of_flat_images_are_no_series(tmp_path: Path) -> None:
    for name in ("a.png", "b.tif"):
        (tmp_path / name).write_bytes(b"")
    assert reader_of(tmp_path) is None
    assert reader_of(tmp_path / "missing") is None
    (tmp_path / "empty").mkdir()
    assert reader_of(tmp_path / "empty") is None


def test_a_series_is_a_volume_of_a_data_set(tmp_path: Path) -> None:
    save_series(tmp_path / "set/images/p1", numbers())
    volume = read_volume(tmp_path / "set/images/p1")
    labels = (numbers() > 60).astype(np.uint8).T
    (tmp_path / "set/masks").mkdir()
    nibabel.Nifti1Image(labels, volume.affine).to_filename(tmp_path / "set/masks/p1.nii.gz")
    dataset = Dataset.open(tmp_path / "set")
    assert [case.id for case in dataset] == [f"p1_s{k:03d}" for k in range(4)]
    assert {case.group for case in dataset} == {"p7"}
    (only,) = dataset.volumes
    np.testing.assert_array_equal(volume_mask(dataset, only), only.cut(tmp_path / "set/masks/p1.nii.gz"))
    only.write(tmp_path / "out.nii.gz", volume_mask(dataset, only))
    written = SimpleITK.ReadImage(str(tmp_path / "out.nii.gz"))
    np.testing.assert_array_equal(SimpleITK.GetArrayFromImage(written), labels.T)
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(tmp_path / "set/images/p1")))
    image = reader.Execute()
    for name in ("GetOrigin", "GetSpacing", "GetDirection"):
        np.testing.assert_allclose(getattr(written, name)(), getattr(image, name)(), atol=1e-5)


def test_odd_values_in_headers_are_no_warnings_of_a_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pydicom.config.disable_value_validation():
        save_series(tmp_path / "images/p", numbers(), SeriesInstanceUID="1.2.anonymous", PatientID="p" * 70)
        affine = read_volume(tmp_path / "images/p").affine
    (tmp_path / "masks").mkdir()
    nibabel.Nifti1Image(numbers().T % 2, affine).to_filename(tmp_path / "masks/p.nii.gz")
    assert main(["check", str(tmp_path)]) == 0
    assert "Warning" not in capsys.readouterr().err


def test_a_series_is_predicted_from_its_own_folder(tmp_path: Path) -> None:
    save_series(tmp_path / "p1", numbers())
    found = discover(tmp_path / "p1", masks_required=False)
    assert list(found.cut.volumes) == ["p1"]


def test_files_of_one_folder_are_volumes_of_their_own(tmp_path: Path) -> None:
    for name in ("a.dcm", "b.dcm"):
        save_enhanced(tmp_path / "one" / name, numbers())
    assert list(discover(tmp_path / "one", masks_required=False).cut.volumes) == ["a", "b"]
    save_enhanced(tmp_path / "lone/a.dcm", numbers())
    assert list(discover(tmp_path / "lone", masks_required=False).cut.volumes) == ["a"]


FLAT, UP = [1.0, 0, 0, 0, 1, 0], [1.0, 0, 0, 0, 0, -1.0]
REFUSED = {
    "two series": (
        {1: {"SeriesInstanceUID": uid("other")}},
        "2 series",
        uid("other"),
        "(3 files)",
        "(1 file)",
    ),
    "orientations": ({1: {"ImageOrientationPatient": UP}}, "several orientations", "IM0010", "overviews"),
    "spacings": ({1: {"PixelSpacing": [1.0, 1.0]}}, "several sizes", "1 x 1 mm", "1.25 x 0.5 mm"),
    "no position": ({1: {"ImagePositionPatient": None}}, "no ImagePositionPatient", "expected 3 numbers"),
    "no orientation": ({1: {"ImageOrientationPatient": None}}, "no ImageOrientationPatient"),
    "no spacing": ({1: {"PixelSpacing": None}}, "no PixelSpacing"),
    "one place": ({1: {"ImagePositionPatient": [-10.0, 20.0, 30.0]}}, "share their place", "time points"),
    "aside": ({1: {"ImagePositionPatient": [0.0, 0.0, 32.0]}}, "shifted", "straight stack"),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_what_is_no_volume_is_named(tmp_path: Path, fault: str) -> None:
    changes, *said = REFUSED[fault]
    folder = save_series(tmp_path / "p", numbers(), changes)
    _refused(folder, "p", *said)


def test_a_missing_slice_is_named(tmp_path: Path) -> None:
    folder = save_series(tmp_path / "p", numbers(6))
    (folder / f"IM{(2 * 7 + 3) % 11:04d}").unlink()
    _refused(folder, "do not lie evenly", "4 mm between IM0010 at 32 mm", "IM0002", "1 slice is missing")


def test_slices_of_several_sizes_are_named(tmp_path: Path) -> None:
    folder = save_series(tmp_path / "p", numbers())
    save(slice_of(np.zeros((3, 5), np.uint16), 1), folder / "IM0010")
    _refused(folder, "several sizes", "3 x 5 pixels", "6 x 5 pixels")


def test_files_that_are_no_slices_are_named(tmp_path: Path) -> None:
    folder = save_series(tmp_path / "p", numbers())
    (folder / "IM0010").write_bytes(b"")
    _refused(folder, "IM0010 is no DICOM file (0 bytes")
    report = slice_of(numbers()[1], 1, Modality="SR")
    del report.Rows, report.PixelData
    save(report, folder / "IM0010")
    _refused(folder, "no images", "IM0010", "take these files out")
    empty = slice_of(numbers()[1], 1)
    del empty.PixelData
    save(empty, folder / "IM0010")
    _refused(folder, "IM0010 holds a header without pixels")
    colours = slice_of(numbers()[1], 1)
    colours.SamplesPerPixel = 3
    save(colours, folder / "IM0010")
    _refused(folder, "colours: IM0010")


def test_mosaics_are_refused(tmp_path: Path) -> None:
    kind = ["ORIGINAL", "PRIMARY", "M", "MOSAIC"]
    _refused(save_series(tmp_path / "p", numbers(), ImageType=kind), "mosaics", "dcm2niix")


def test_a_truncated_file_is_named(tmp_path: Path) -> None:
    folder = save_series(tmp_path / "p", numbers())
    path = folder / "IM0010"
    path.write_bytes(path.read_bytes()[:-20])
    _refused(folder, "IM0010", "copy it again")


def test_many_slices_without_places_are_refused(tmp_path: Path) -> None:
    path = save_enhanced(tmp_path / "a.dcm", numbers())
    file = pydicom.dcmread(path)
    del file.PerFrameFunctionalGroupsSequence
    save(file, path)
    _refused(path, "holds 4 images", "single slices")


def test_a_bad_series_does_not_hide_the_others(tmp_path: Path) -> None:
    save_series(tmp_path / "good", numbers())
    shutil.copytree(tmp_path / "good", tmp_path / "bad")
    (tmp_path / "bad/IM0010").unlink()
    found = discover(tmp_path, masks_required=False)
    assert list(found.cut.volumes) == ["good"]
    assert "do not lie evenly" in found.cut.skipped["bad"]


def _refused(path: Path, *said: str) -> None:
    with pytest.raises(DataError) as caught:
        read_volume(path)
    for each in said:
        assert each in str(caught.value)
    assert "\n" not in str(caught.value)
