from __future__ import annotations

from pathlib import Path

import highdicom
import numpy as np
import pydicom
import pytest

from s2s2.data import Dataset
from s2s2.data.volumes.dicom_seg import write
from s2s2.data.volumes.formats import read_labels, read_volume, reader_of
from s2s2.data.volumes.masks import volume_mask
from s2s2.errors import DataError
from s2s2.evaluation import PredictionFolder
from s2s2.evaluation.predict import predict
from s2s2.evaluation.score import score
from tests.data.volumes.dicom_made import numbers, save, save_enhanced, save_series
from tests.evaluation.known_networks import TRUSTED, save_known

NAMES = ("background", "liver", "spleen")


def labels() -> np.ndarray:
    """Class ids (i, j, k): slice 0 empty, both classes in slice 2."""
    found = np.zeros((5, 6, 4), np.uint8)
    found[1:3, 2, 1:3] = 1
    found[4, 5, 2] = 2
    return found


def written(folder: Path, source: Path, content: np.ndarray | None = None) -> Path:
    affine = read_volume(source).affine
    write(folder / "seg.dcm", labels() if content is None else content, affine, source, NAMES)
    return folder / "seg.dcm"


def read(path: Path, source: Path) -> np.ndarray:
    image = read_volume(source)
    return read_labels(path, image.voxels.shape, image.affine, source).voxels


@pytest.mark.parametrize("kind", ["series", "file"])
def test_what_is_written_is_read_back(tmp_path: Path, kind: str) -> None:
    source = (
        save_series(tmp_path / "p", numbers())
        if kind == "series"
        else save_enhanced(tmp_path / "a.dcm", numbers())
    )
    path = written(tmp_path, source)
    np.testing.assert_array_equal(read(path, source), labels())
    assert reader_of(path).name == "dicom-seg"  # type: ignore[union-attr]


def test_another_library_reads_the_same(tmp_path: Path) -> None:
    source = save_series(tmp_path / "p", numbers())
    path = written(tmp_path, source)
    file = highdicom.seg.segread(path)
    volume = file.get_volume(combine_segments=True)
    image = read_volume(source)
    for k, j, i in zip(*np.nonzero(volume.array), strict=True):
        left, back, head = (volume.affine @ [k, j, i, 1.0])[:3]
        index = np.linalg.inv(image.affine) @ [-left, -back, head, 1.0]
        assert labels()[tuple(np.rint(index[:3]).astype(int))] == volume.array[k, j, i]
    assert np.count_nonzero(volume.array) == np.count_nonzero(labels())
    assert [each.SegmentLabel for each in file.SegmentSequence] == ["liver", "spleen"]
    algorithm = file.SegmentSequence[0].SegmentationAlgorithmIdentificationSequence[0]
    assert algorithm.AlgorithmName == "s2s2"
    # Frames without anything are left out: liver on two slices, spleen on one.
    assert file.NumberOfFrames == 3
    assert {str(uid[2]) for uid in file.get_source_image_uids()} == {
        str(pydicom.dcmread(each).SOPInstanceUID) for each in source.iterdir()
    }


def test_equal_label_maps_are_equal_files(tmp_path: Path) -> None:
    source = save_series(tmp_path / "p", numbers())
    first = written(tmp_path, source).read_bytes()
    assert written(tmp_path, source).read_bytes() == first
    before = pydicom.dcmread(tmp_path / "seg.dcm").SOPInstanceUID
    other = labels()
    other[0, 0, 0] = 1
    assert pydicom.dcmread(written(tmp_path, source, other)).SOPInstanceUID != before


def test_nothing_found_is_a_file_too(tmp_path: Path) -> None:
    source = save_series(tmp_path / "p", numbers())
    path = written(tmp_path, source, np.zeros_like(labels()))
    assert not read(path, source).any()


def test_headers_whose_uids_were_emptied_are_enough(tmp_path: Path) -> None:
    emptied = dict.fromkeys(("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"), "")
    source = save_series(tmp_path / "p", numbers(), **emptied)
    np.testing.assert_array_equal(read(written(tmp_path, source), source), labels())


def test_segments_that_overlap_are_refused(tmp_path: Path) -> None:
    source = save_series(tmp_path / "p", numbers())
    path = written(tmp_path, source)
    file = pydicom.dcmread(path)
    frames = file.pixel_array
    frames[:, 2, 1] = 1
    file.PixelData = pydicom.pixels.pack_bits(frames.ravel())
    _refused(save(file, path), source, "seg.dcm holds segments that overlap", "segment 1 too")


def test_fractions_are_refused(tmp_path: Path) -> None:
    source = save_series(tmp_path / "p", numbers())
    path = written(tmp_path, source)
    file = pydicom.dcmread(path)
    file.SegmentationType = "FRACTIONAL"
    _refused(save(file, path), source, "FRACTIONAL", "binary segments")


def test_another_grid_is_refused(tmp_path: Path) -> None:
    source = save_series(tmp_path / "p", numbers())
    path = written(tmp_path, source)
    moved = {k: {"ImagePositionPatient": [0.0, 0.0, 0.6 + 2.0 * k]} for k in range(4)}
    other = save_series(tmp_path / "q", numbers(), moved)
    _refused(path, other, "seg.dcm lies on another grid than its image", "begins at voxel")


def test_a_label_map_among_the_slices_is_named(tmp_path: Path) -> None:
    source = save_series(tmp_path / "p", numbers())
    written(tmp_path, source).rename(source / "0.dcm")
    with pytest.raises(DataError, match="holds 2 series, by SeriesInstanceUID"):
        read_volume(source)


def test_a_label_map_is_no_image(tmp_path: Path) -> None:
    path = written(tmp_path, save_series(tmp_path / "p", numbers()))
    with pytest.raises(DataError, match=r"is a DICOM-SEG, a label map, expected an image"):
        read_volume(path)


@pytest.mark.parametrize("place", ["masks/p1.dcm", "masks/p1/any name"])
def test_masks_of_a_data_set(tmp_path: Path, place: str) -> None:
    source = save_series(tmp_path / "images/p1", numbers())
    path = tmp_path / place
    path.parent.mkdir(parents=True)
    written(tmp_path, source).rename(path)
    dataset = Dataset.open(tmp_path)
    (volume,) = dataset.volumes
    np.testing.assert_array_equal(volume_mask(dataset, volume), labels().T)


def test_predictions_of_a_series_are_written_and_scored(tmp_path: Path) -> None:
    source = save_series(tmp_path / "set/images/p1", numbers() * 20)
    (tmp_path / "set/masks").mkdir()
    mask = np.asarray(labels() > 0, np.uint8)
    written(tmp_path, source, mask).rename(tmp_path / "set/masks/p1.dcm")
    network = save_known(tmp_path / "net")
    images = Dataset.open(tmp_path / "set", masks=False, channels=3)
    folder = PredictionFolder(tmp_path / "out")
    predict(network, images, folder.root, trust=TRUSTED)
    assert folder.label_map("p1", ".nii.gz").is_file()
    before = folder.read_volume(images.volumes[0])
    report = predict(network, images, folder.root, trust=TRUSTED, dicom_seg=True)
    assert report.written == ("p1",)
    # One label map a volume: that of the other format would be out of date one day.
    assert [path.name for path in folder.root.glob("p1*")] == ["p1.dcm"]
    np.testing.assert_array_equal(folder.read_volume(images.volumes[0]), before)
    assert predict(network, images, folder.root, trust=TRUSTED, dicom_seg=True).kept == ("p1",)
    labelled = Dataset.open(tmp_path / "set")
    assert score(folder.root, labelled)["case"].tolist() == ["p1"]


def _refused(path: Path, source: Path, *said: str) -> None:
    with pytest.raises(DataError) as caught:
        read(path, source)
    for each in said:
        assert each in str(caught.value)
