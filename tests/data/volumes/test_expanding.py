from __future__ import annotations

import pickle
import shlex
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from PIL import Image

from s2s2.data.checking.inspection import inspect
from s2s2.data.dataset import Dataset
from s2s2.data.split import split_by_group
from s2s2.data.thinning import thinned
from s2s2.data.volumes.config import VolumeConfig
from s2s2.data.volumes.raw import described
from s2s2.data.volumes.volume import RESAMPLE
from s2s2.errors import DataError
from tests.drawn_volumes import AFFINE, disc, draw_volumes, save


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return draw_volumes(tmp_path / "home", 5)


def test_every_slice_is_a_case_and_every_scan_a_volume(home: Path) -> None:
    dataset = Dataset.open(home)
    assert len(dataset) == 30
    assert [volume.id for volume in dataset.volumes] == [f"patient{number}" for number in range(5)]
    case = dataset.case("patient2_s003")
    assert (case.volume, case.slice, case.group, case.domain) == ("patient2", 3, "patient2", "home")
    assert case.spacing_mm == pytest.approx(tuple(np.linalg.norm(AFFINE[:3, [1, 0]], axis=0)))
    assert case.slice_mm == 6.0
    assert dataset.class_map.names == ("background", "class_1", "class_2")


def test_slices_hold_the_voxels_and_labels_of_the_file(home: Path) -> None:
    dataset = Dataset.open(home, volumes=VolumeConfig(intensities="window", window=(0.0, 200.0)))
    voxels, labels = disc(1)
    for number in (0, 2, 5):
        case = dataset.case(f"patient1_s{number:03d}")
        # The stored axes point left and front, and are shown with left at the right and the front on top.
        expected = np.clip(voxels[:, ::-1, number].T / 200, 0, 1)
        np.testing.assert_allclose(dataset.image(case)[0], expected, atol=1e-5)
        np.testing.assert_array_equal(dataset.mask(case), labels[:, ::-1, number].T)


def test_slices_are_cut_once_and_again_for_other_bytes_or_settings(home: Path, tmp_path: Path) -> None:
    config = VolumeConfig(cache=tmp_path / "cache")
    first = Dataset.open(home, volumes=config)[0].image_path
    before = first.stat().st_mtime_ns
    assert Dataset.open(home, volumes=config)[0].image_path == first
    assert first.stat().st_mtime_ns == before
    other = VolumeConfig(cache=tmp_path / "cache", intensities="zscore")
    assert Dataset.open(home, volumes=other)[0].image_path != first
    voxels, _ = disc(0)
    save(home / "images" / "patient0.nii.gz", voxels + 1)
    assert Dataset.open(home, volumes=config)[0].image_path != first


@pytest.mark.parametrize("harm", ["cut", "gone", "record"])
def test_a_harmed_cache_is_made_again(home: Path, tmp_path: Path, harm: str) -> None:
    config = VolumeConfig(cache=tmp_path / "cache")
    path = Dataset.open(home, volumes=config)[2].image_path
    content = path.read_bytes()
    if harm == "cut":
        path.write_bytes(content[:50])
    elif harm == "gone":
        path.unlink()
    else:
        (path.parent / "volume.json").write_text('{"format": 1, "facts": {"grid": 3}, "sizes": {}}')
    assert Dataset.open(home, volumes=config)[2].image_path.read_bytes() == content


def test_a_mask_that_is_stored_in_another_orientation_fits(home: Path) -> None:
    path = home / "masks" / "patient0.nii.gz"
    before = Dataset.open(home)
    masks = [before.original_mask(case) for case in before[:6]]
    nib.save(nib.as_closest_canonical(nib.load(path)), path)
    after = Dataset.open(home)
    for case, mask in zip(after[:6], masks, strict=True):
        np.testing.assert_array_equal(after.original_mask(case), mask)


def test_a_mask_on_another_grid_is_refused_with_both_grids_and_a_command_that_works(
    home: Path, tmp_path: Path
) -> None:
    mask = home / "masks" / "patient3.nii.gz"
    _, labels = disc(3)
    moved = AFFINE.copy()
    moved[:3, 3] += 5
    save(mask, labels, moved)
    with pytest.raises(DataError) as caught:
        Dataset.open(home)
    message = str(caught.value)
    for part in ("patient3.nii.gz", "another grid", described(AFFINE), described(moved), RESAMPLE):
        assert part in message
    command = (
        RESAMPLE.strip("`.").replace("MASK", str(mask)).replace("IMAGE", f"{home}/images/patient3.nii.gz")
    )
    words = shlex.split(command.replace("RESAMPLED.nii.gz", str(tmp_path / "out.nii.gz")))
    subprocess.run([sys.executable, *words[1:]], check=True)
    (tmp_path / "out.nii.gz").rename(mask)
    assert len(Dataset.open(home)) == 30


def test_label_values_that_are_no_class_ids_are_refused(home: Path) -> None:
    _, labels = disc(0)
    save(home / "masks" / "patient0.nii.gz", labels.astype(np.float32) * 0.5)
    with pytest.raises(
        DataError, match=r"patient0.nii.gz holds \d+ voxels that are no class ids, such as 0.5"
    ):
        Dataset.open(home)
    save(home / "masks" / "patient0.nii.gz", labels.astype(np.float32))
    assert len(Dataset.open(home)) == 30
    save(home / "masks" / "patient0.nii.gz", -labels.astype(np.int16))
    with pytest.raises(DataError, match="values from -2 to 0, expected class ids from 0 to 65535"):
        Dataset.open(home)


def test_neighbours_are_further_channels_and_repeat_at_the_ends(home: Path) -> None:
    plain, thick = Dataset.open(home), Dataset.open(home, volumes=VolumeConfig(neighbours=1))
    assert thick.channels == 3
    for number, around in ((0, (0, 0, 1)), (3, (2, 3, 4)), (5, (4, 5, 5))):
        expected = [plain.image(plain.case(f"patient0_s{each:03d}"))[0] for each in around]
        np.testing.assert_array_equal(thick.image(thick.case(f"patient0_s{number:03d}")), np.stack(expected))


def test_channels_in_files_of_their_own_are_joined(tmp_path: Path) -> None:
    for patient in range(3):
        voxels, labels = disc(patient)
        for channel in (0, 1):
            name = f"case{patient}_{channel:04d}.nii.gz"
            save(tmp_path / "imagesTr" / name, voxels * (channel + 1) + channel)
        save(tmp_path / "labelsTr" / f"case{patient}.nii.gz", labels)
    dataset = Dataset.open(tmp_path)
    assert dataset.channels == 2
    assert dataset.image(dataset[2]).shape == (2, 48, 40)
    assert [path.name for path in dataset.volumes[1].sources] == ["case1_0000.nii.gz", "case1_0001.nii.gz"]
    assert Dataset.open(tmp_path / "imagesTr", masks=False).channels == 2


def test_slices_of_a_volume_are_never_split_and_few_empty_ones_are_learnt_from(home: Path) -> None:
    dataset = Dataset.open(home)
    split = thinned(split_by_group(dataset, fractions=(0.6, 0.2, 0.2)), dataset, 0.25)
    volumes = [
        {dataset.case(name).volume for name in ids} for ids in (split.train, split.validation, split.test)
    ]
    assert sum(map(len, volumes)) == 5
    assert len(split.test) == 6  # with the empty first and last slice
    empty = [name for name in split.train if name.endswith(("s000", "s005"))]
    assert (len(split.train), len(empty)) == (3 * 4 + 2, 2)  # a quarter of six, rounded up
    assert thinned(split, dataset, 1.0) == split
    part = dataset.subset(split.train)
    assert all(len(volume.cases) == 6 for volume in part.volumes)


def test_training_knows_nothing_of_the_volumes_of_other_parts(home: Path) -> None:
    dataset = Dataset.open(home)
    split = split_by_group(dataset, fractions=(0.6, 0.2, 0.2))
    for part, ids in zip(split.training(dataset), (split.train, split.validation), strict=True):
        known = {dataset.case(name).volume for name in ids}
        assert set(part.cut.volumes) == set(part.cut.facts) == known
        copied = pickle.dumps(part)
        for name in {case.volume for case in dataset} - known:
            assert f"{name}_s000".encode() not in copied
        with pytest.raises(DataError, match="no case"):
            part.image(dataset.case(split.test[0]))


def test_blank_slices_of_two_patients_are_no_copies(tmp_path: Path) -> None:
    home = draw_volumes(tmp_path / "home", 4)
    for patient in range(4):
        voxels, _ = disc(patient)
        voxels[..., 0] = -2000
        save(home / "images" / f"patient{patient}.nii.gz", voxels)
    dataset = Dataset.open(home, volumes=VolumeConfig(intensities="window"))
    assert split_by_group(dataset, fractions=(0.5, 0.25, 0.25)).test
    rules = {problem.rule for problem in inspect(home).problems}
    assert not rules & {"duplicate-across-groups", "constant-image", "blank-mask", "no-groups"}


def test_a_volume_twice_is_found(home: Path) -> None:
    content = (home / "images" / "patient0.nii.gz").read_bytes()
    (home / "images" / "patient4.nii.gz").write_bytes(content)
    assert "duplicate-across-groups" in {problem.rule for problem in inspect(home).problems}


def test_the_check_says_what_is_done_to_intensities_and_where_slices_lie(home: Path) -> None:
    said = inspect(home).summary["volumes"]
    assert said["count"] == 5
    assert said["intensities"] == "each volume scaled by its own percentiles (5)"
    assert said["spacing"] == "6 x 1.2 x 1.5 mm (slices, rows, columns)"
    assert "slices in " in said["cache"]
    for patient in range(5):
        voxels, _ = disc(patient)
        save(home / "images" / f"patient{patient}.nii.gz", voxels - np.int16(1000))
    said = inspect(home).summary["volumes"]
    assert said["intensities"] == "clipped to -125..275 HU (5)"


def test_the_check_finds_what_costs_weeks(home: Path) -> None:
    voxels, labels = disc(0)
    rng = np.random.default_rng(0)

    def replaced(number: int, affine: np.ndarray, values: np.ndarray = voxels, *, code: int = 1) -> None:
        image = nib.Nifti1Image(values, affine)
        image.header["sform_code"] = image.header["qform_code"] = code
        nib.save(image, home / "images" / f"patient{number}.nii.gz")
        mask = nib.Nifti1Image(labels, affine)
        mask.header["sform_code"] = mask.header["qform_code"] = code
        nib.save(mask, home / "masks" / f"patient{number}.nii.gz")

    replaced(0, AFFINE @ np.diag([10, 10, 10, 1.0]))
    replaced(1, AFFINE @ np.diag([-1, 1, 1, 1.0]), voxels + rng.integers(0, 9, voxels.shape, np.int16))
    sheared = AFFINE.copy()
    sheared[0, 2] = 3
    replaced(2, sheared, voxels + rng.integers(0, 9, voxels.shape, np.int16))
    save(home / "images" / "patient3.nii.gz", voxels - np.int16(1000))
    found = {problem.rule: problem for problem in inspect(home).problems}
    assert found["spacing-differs"].subject == "patient0"
    assert "10 times apart" in found["spacing-differs"].message
    assert "LAS (4), RAS (1)" in found["orientation-differs"].message
    assert found["not-orthonormal"].subject == "patient2"
    assert "1 volumes hold values of HU and 4 others do not: patient3" in found["values-differ"].message


def test_a_file_that_does_not_say_its_orientation_is_named(home: Path) -> None:
    voxels, labels = disc(0)
    for folder, values in (("images", voxels), ("masks", labels)):
        image = nib.Nifti1Image(values, None)
        image.header["sform_code"] = image.header["qform_code"] = 0
        nib.save(image, home / folder / "patient0.nii.gz")
    found = {problem.rule: problem for problem in inspect(home).problems}
    assert found["no-orientation"].subject == "patient0"


def test_png_slices_in_a_manifest_give_the_same_cases_as_the_volumes(home: Path, tmp_path: Path) -> None:
    config = VolumeConfig(intensities="window", window=(0.0, 200.0))
    volumes = Dataset.open(home, volumes=config)
    rows = ["image,mask,volume,slice,spacing_mm"]
    for case in volumes:
        for kind, path in (("i", case.image_path), ("m", case.mask_path)):
            assert path is not None
            (tmp_path / f"{kind}-{case.id}.png").write_bytes(path.read_bytes())
        spacing = " ".join(map(str, (case.slice_mm, *(case.spacing_mm or ()))))
        rows.append(f"i-{case.id}.png,m-{case.id}.png,{case.volume},{case.slice},{spacing}")
    (tmp_path / "home.csv").write_text("\n".join([rows[0], *reversed(rows[1:])]) + "\n")
    slices = Dataset.open(tmp_path / "home.csv")
    assert {volume.id for volume in slices.volumes} == {volume.id for volume in volumes.volumes}
    assert slices.volumes[0].spacing_mm == volumes.volumes[-1].spacing_mm
    assert {case.group for case in slices} == {case.group for case in volumes}
    for case in volumes:
        other = slices.case(f"i-{case.id}")
        np.testing.assert_array_equal(slices.image(other), volumes.image(case))
        np.testing.assert_array_equal(slices.mask(other), volumes.mask(case))
        assert other.slice == case.slice


def test_slices_of_one_volume_in_two_groups_are_refused(tmp_path: Path) -> None:
    for name in ("a", "b"):
        Image.fromarray(np.full((8, 8), 9, np.uint8)).save(tmp_path / f"{name}.png")
    (tmp_path / "set.csv").write_text("image,volume,group\na.png,scan,one\nb.png,scan,two\n")
    with pytest.raises(DataError, match="scan: its slices are in the groups one, two"):
        Dataset.open(tmp_path / "set.csv", masks=False)
