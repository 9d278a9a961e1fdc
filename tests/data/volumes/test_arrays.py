from __future__ import annotations

import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from s2s2.data import Dataset
from s2s2.data.checking.inspection import inspect
from s2s2.data.reading.layouts import discover
from s2s2.data.volumes.formats import read_labels, read_volume
from s2s2.data.volumes.masks import volume_mask
from s2s2.errors import DataError
from s2s2.evaluation import PredictionFolder
from s2s2.evaluation.predict import predict
from s2s2.evaluation.score import score
from tests.evaluation.known_networks import TRUSTED, save_known


def pair(seed: int = 0, shape: tuple[int, ...] = (3, 32, 40)) -> tuple[np.ndarray, np.ndarray]:
    """Values in 0..1 that use a part of it, and a label map."""
    values = np.random.default_rng(seed).uniform(0.2, 0.9, shape).astype(np.float32)
    return values, (values > 0.6).astype(np.float32)


def save_slices(folder: Path, name: str = "case0005", seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Write a volume as TransUNet's training slices."""
    values, labels = pair(seed)
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(3):
        np.savez(folder / f"{name}_slice{number:03d}.npz", image=values[number], label=labels[number])
    return values, labels


def save_h5(path: Path, seed: int = 0, **arrays: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Write a volume as TransUNet's test volumes."""
    values, labels = pair(seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        for name, array in ({"image": values, "label": labels} | arrays).items():
            file.create_dataset(name, data=array, compression="gzip")
    return values, labels


def test_slices_of_a_volume_are_joined(tmp_path: Path) -> None:
    values, labels = save_slices(tmp_path / "train_npz")
    save_slices(tmp_path / "train_npz", "case0006", 1)
    dataset = Dataset.open(tmp_path / "train_npz")
    assert [case.id for case in dataset][:2] == ["case0005_slice000", "case0005_slice001"]
    assert [volume.id for volume in dataset.volumes] == ["case0005", "case0006"]
    assert {case.group for case in dataset} == {"case0005", "case0006"}
    first = dataset.volumes[0]
    assert first.spacing_mm is None
    np.testing.assert_array_equal(volume_mask(dataset, first), labels)
    # Values that were prepared stay as they are, the same in every slice.
    for number, case in enumerate(first.cases):
        np.testing.assert_allclose(dataset.image(case)[0], values[number], atol=1 / 65535)


def test_a_volume_in_one_file(tmp_path: Path) -> None:
    values, labels = save_h5(tmp_path / "test_vol_h5/case0001.npy.h5")
    dataset = Dataset.open(tmp_path / "test_vol_h5")
    (volume,) = dataset.volumes
    assert (volume.id, volume.group, volume.spacing_mm) == ("case0001", "case0001", None)
    np.testing.assert_array_equal(volume_mask(dataset, volume), labels)
    for number, case in enumerate(volume.cases):
        np.testing.assert_allclose(dataset.image(case)[0], values[number], atol=1 / 65535)


def test_slices_in_hdf5_belong_to_their_patient(tmp_path: Path) -> None:
    for frame in ("01", "12"):
        for number in range(2):
            values, labels = pair(number, (32, 40))
            save_h5(
                tmp_path / f"patient001_frame{frame}_slice_{number}.h5",
                image=values,
                label=labels.astype(np.uint8),
                scribble=labels,
            )
    dataset = Dataset.open(tmp_path)
    assert [volume.id for volume in dataset.volumes] == ["patient001_frame01", "patient001_frame12"]
    assert {case.group for case in dataset} == {"patient001"}


def test_a_group_rule_of_the_user_counts(tmp_path: Path) -> None:
    save_slices(tmp_path)
    dataset = Dataset.open(tmp_path, groups=r"(case\d{3})")
    assert {case.group for case in dataset} == {"case000"}


def test_check_says_once_that_nothing_is_known_of_space(tmp_path: Path) -> None:
    for number in range(4):
        save_slices(tmp_path, f"case{number:04d}", number)
    report = inspect(tmp_path)
    assert report.ok
    found = [problem for problem in report.problems if problem.rule == "no-orientation"]
    assert len(found) == 1
    assert "case0000, case0001" in found[0].message
    assert report.summary["volumes"]["count"] == 4
    assert report.summary["volumes"]["spacing"].startswith("not in the files")
    assert "left as they are" in report.summary["volumes"]["intensities"]


def test_predictions_of_arrays_are_scored(tmp_path: Path) -> None:
    _, labels = save_h5(tmp_path / "set/case0001.npy.h5")
    network = save_known(tmp_path / "net")
    images = Dataset.open(tmp_path / "set", masks=False, channels=3)
    folder = PredictionFolder(tmp_path / "out")
    predict(network, images, folder.root, trust=TRUSTED)
    with np.load(folder.label_map("case0001", ".npz")) as content:
        assert content["label"].shape == labels.shape
        assert content["label"].dtype == np.uint8
        np.testing.assert_array_equal(folder.read_volume(images.volumes[0]), content["label"])
    table = score(folder.root, Dataset.open(tmp_path / "set"))
    assert table["case"].tolist() == ["case0001"]
    assert table["unit"].tolist() == ["px"]


def test_predictions_of_slices_are_scored_as_a_volume(tmp_path: Path) -> None:
    save_slices(tmp_path / "set")
    images = Dataset.open(tmp_path / "set", masks=False, channels=3)
    folder = PredictionFolder(tmp_path / "out")
    predict(save_known(tmp_path / "net"), images, folder.root, trust=TRUSTED)
    assert folder.ids == tuple(f"case0005_slice00{number}" for number in range(3))
    assert score(folder.root, Dataset.open(tmp_path / "set"))["case"].tolist() == ["case0005"]


def test_slices_and_volumes_are_not_mixed(tmp_path: Path) -> None:
    save_slices(tmp_path / "a")
    save_h5(tmp_path / "b/case0001.npy.h5")
    with pytest.raises(DataError, match=r"slice000\.npz is a slice and .*case0001\.npy\.h5 a whole volume"):
        discover(tmp_path)


def test_a_bad_slice_takes_its_volume_out(tmp_path: Path) -> None:
    save_slices(tmp_path)
    save_slices(tmp_path, "case0006", 1)
    (tmp_path / "case0006_slice001.npz").write_bytes(b"")
    found = discover(tmp_path, masks_required=False)
    assert list(found.cut.volumes) == ["case0005"]
    assert list(found.cut.skipped) == ["case0006"]
    assert "case0006_slice001.npz cannot be read" in found.cut.skipped["case0006"]
    assert len(found.cases) == 3


def test_a_volume_with_the_name_of_a_slice_is_refused(tmp_path: Path) -> None:
    save_h5(tmp_path / "case0001_slice000.h5")
    found = discover(tmp_path)
    assert "holds 3 slices, but its name ends as that of one" in found.cut.skipped["case0001"]


def test_arrays_of_other_names_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", data=np.zeros((4, 4)))
    _refused(tmp_path / "a.npz", "holds the arrays data", "'image' and 'label'")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_group("image")
    _refused(tmp_path / "a.h5", "holds no arrays")


def test_image_and_label_of_other_shapes_are_refused(tmp_path: Path) -> None:
    save_h5(tmp_path / "case1.h5", label=np.zeros((3, 32, 41)))
    found = discover(tmp_path)
    (problem,) = (each for each in found.problems if each.rule == "volume-mask")
    assert "'label' of" in problem.message
    assert "has the shape 3 x 32 x 41, its image 3 x 32 x 40" in problem.message


def test_other_shapes_are_refused(tmp_path: Path) -> None:
    save_h5(tmp_path / "a.h5", image=np.zeros((2, 3, 4, 5)))
    _refused(tmp_path / "a.h5", "shape 2 x 3 x 4 x 5", "(slice, row, column)")


def test_objects_are_not_unpickled(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", image=np.array([{"a": 1}], dtype=object), label=np.zeros(1))
    _refused(tmp_path / "a.npz", "allow_pickle")


def test_arrays_elsewhere_are_not_read(tmp_path: Path) -> None:
    save_h5(tmp_path / "secret.h5")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["image"] = h5py.ExternalLink("secret.h5", "image")
    _refused(tmp_path / "a.h5", "holds no arrays")


@pytest.mark.parametrize("name", ["a.npz", "a.h5"])
def test_files_that_are_not_whole_are_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    values, labels = pair()
    if name == "a.npz":
        np.savez(path, image=values, label=labels)
    else:
        save_h5(path)
    whole = path.read_bytes()
    for content in (b"", whole[: len(whole) // 2], b"no such thing" * 100):
        path.write_bytes(content)
        _refused(path, f"{name} cannot be read as a volume", "copy it again")


def test_a_header_that_promises_too_much_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, label=np.zeros(1))
    with zipfile.ZipFile(path, "a") as archive, archive.open("image.npy", "w") as file:
        header = {"descr": "<f4", "fortran_order": False, "shape": (9000, 9000, 900)}
        np.lib.format.write_array_header_1_0(file, header)
    _refused(path, "promises 9000 x 9000 x 900 voxels")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("image", shape=(9000, 9000, 900), dtype="f4", chunks=True)
    _refused(tmp_path / "a.h5", "promises 9000 x 9000 x 900 voxels")


def test_labels_of_a_file_need_no_image(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", label=np.ones((3, 4), np.uint8))
    assert read_labels(tmp_path / "a.npz", (4, 3, 1), np.eye(4), tmp_path / "a.npz").voxels.shape == (4, 3, 1)


def _refused(path: Path, *said: str) -> None:
    with pytest.raises(DataError) as caught:
        read_volume(path)
    for each in said:
        assert each in str(caught.value)
    assert "\n" not in str(caught.value)
