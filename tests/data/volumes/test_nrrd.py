from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from s2s2.data import Dataset
from s2s2.data.volumes.formats import read_volume, reader_of, source_identity
from s2s2.data.volumes.masks import volume_mask
from s2s2.errors import DataError

SUFFIXES = (".nrrd", ".nhdr", ".mha", ".mhd")
TURN = (0.8, -0.6, 0.0, 0.0, 0.0, 1.0, -0.6, -0.8, 0.0)


def image(voxels: np.ndarray | None = None) -> SimpleITK.Image:
    """A volume of 5 x 4 x 3 voxels (i, j, k), oblique and anisotropic."""
    voxels = np.arange(60, dtype=np.int16).reshape(3, 4, 5) - 30 if voxels is None else voxels
    made = SimpleITK.GetImageFromArray(voxels)
    made.SetSpacing((0.7, 1.3, 4.0))
    made.SetOrigin((-11.0, 7.5, 3.0))
    made.SetDirection(TURN)
    return made


def save(path: Path, made: SimpleITK.Image, *, compress: bool = True) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    SimpleITK.WriteImage(made, str(path), compress)
    return path


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_voxels_lie_where_simpleitk_says(tmp_path: Path, suffix: str) -> None:
    volume = read_volume(save(tmp_path / f"a{suffix}", image()))
    assert volume.voxels.dtype == np.int16
    assert volume.oriented
    np.testing.assert_array_equal(volume.voxels.T, SimpleITK.GetArrayFromImage(image()))
    for index in ((0, 0, 0), (4, 0, 0), (0, 3, 0), (0, 0, 2), (4, 3, 2)):
        left, back, head = image().TransformIndexToPhysicalPoint(index)
        np.testing.assert_allclose((volume.affine @ [*index, 1])[:3], [-left, -back, head], atol=1e-6)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_label_maps_lie_on_their_image(tmp_path: Path, suffix: str) -> None:
    masks = (SimpleITK.GetArrayFromImage(image()) > 9).astype(np.uint8)
    save(tmp_path / f"set/images/a{suffix}", image())
    save(tmp_path / f"set/masks/a{suffix}", image(masks))
    dataset = Dataset.open(tmp_path / "set")
    (volume,) = dataset.volumes
    out = tmp_path / f"out{volume.suffix}"
    assert volume.suffix == {"n": ".nrrd", "m": ".mha"}[suffix[1]]
    volume.write(out, volume_mask(dataset, volume))
    written = SimpleITK.ReadImage(str(out))
    np.testing.assert_array_equal(SimpleITK.GetArrayFromImage(written), masks)
    assert written.GetPixelID() == SimpleITK.sitkUInt8
    source = SimpleITK.ReadImage(str(tmp_path / f"set/images/a{suffix}"))
    for name in ("GetOrigin", "GetSpacing", "GetDirection"):
        assert getattr(written, name)() == getattr(source, name)()
    first = out.read_bytes()
    volume.write(out, volume_mask(dataset, volume))
    assert out.read_bytes() == first


def test_a_mask_may_be_of_another_format(tmp_path: Path) -> None:
    masks = (SimpleITK.GetArrayFromImage(image()) > 9).astype(np.uint8)
    save(tmp_path / "images/a.nrrd", image())
    save(tmp_path / "masks/a.nii.gz", image(masks))
    dataset = Dataset.open(tmp_path)
    assert volume_mask(dataset, dataset.volumes[0]).sum() == masks.sum()


def test_a_flat_image_is_one_slice(tmp_path: Path) -> None:
    flat = SimpleITK.GetImageFromArray(np.arange(12, dtype=np.uint8).reshape(3, 4))
    flat.SetSpacing((0.5, 0.25))
    volume = read_volume(save(tmp_path / "a.mha", flat))
    assert volume.voxels.shape == (4, 3, 1)
    np.testing.assert_allclose(np.diag(volume.affine), [-0.5, -0.25, 1, 1])


def test_a_header_without_orientation_says_so(tmp_path: Path) -> None:
    path = save(tmp_path / "a.nrrd", image(), compress=False)
    content = path.read_bytes().replace(b"space: left-posterior-superior\n", b"space dimension: 3\n")
    path.write_bytes(content)
    assert not read_volume(path).oriented


@pytest.mark.parametrize("suffix", [".mhd", ".nhdr"])
def test_another_file_of_voxels_is_another_volume(tmp_path: Path, suffix: str) -> None:
    path = save(tmp_path / f"a{suffix}", image(), compress=False)
    before = source_identity(path)
    (tmp_path / "a.raw").write_bytes(bytes(120))
    assert source_identity(path) != before


@pytest.mark.parametrize("elsewhere", ["../a.raw", "/etc/hostname", "gone.raw", "LIST", "a%d.raw 1 3 1"])
@pytest.mark.parametrize("suffix", [".mhd", ".nhdr"])
def test_voxels_elsewhere_are_refused(tmp_path: Path, suffix: str, elsewhere: str) -> None:
    path = save(tmp_path / f"in/a{suffix}", image(), compress=False)
    (tmp_path / "in/a.raw").rename(tmp_path / "a.raw")
    path.write_text(path.read_text().replace("a.raw", elsewhere))
    _refused(path, f"{elsewhere!r}, expected one file beside it", "in one file")


@pytest.mark.parametrize("compress", [True, False])
@pytest.mark.parametrize("suffix", [".nrrd", ".mha"])
def test_truncated_files_are_refused(tmp_path: Path, suffix: str, compress: bool) -> None:
    path = save(tmp_path / f"a{suffix}", image(), compress=compress)
    path.write_bytes(path.read_bytes()[:-10])
    _refused(path, "a" + suffix, "cannot be read as a volume", "copy it again")


@pytest.mark.parametrize("suffix", [".nhdr", ".mhd"])
def test_corrupt_voxels_in_another_file_are_refused(tmp_path: Path, suffix: str) -> None:
    path = save(tmp_path / f"a{suffix}", image())
    (voxels,) = (each for each in tmp_path.iterdir() if each != path)
    whole = voxels.read_bytes()
    read_volume(path)
    voxels.write_bytes(whole[:-20] + bytes([whole[-20] ^ 1]) + whole[-19:])
    _refused(path, "compressed voxels are corrupt")
    voxels.write_bytes(whole[:-20])
    _refused(path, "compressed voxels are cut off")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_empty_files_are_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"")
    _refused(path, "0 bytes", "copy it again")


def test_a_header_that_promises_too_much_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "a.mha", image())
    path.write_bytes(path.read_bytes().replace(b"DimSize = 5 4 3", b"DimSize = 50000 40000 3000"))
    _refused(path, "promises 50000 x 40000 x 3000 voxels", "more than the file can hold")


def test_several_numbers_a_voxel_are_refused(tmp_path: Path) -> None:
    vectors = SimpleITK.GetImageFromArray(np.zeros((3, 4, 5, 2), np.float32), isVector=True)
    _refused(save(tmp_path / "a.nrrd", vectors), "2 numbers a voxel", "_0000")
    four = SimpleITK.GetImageFromArray(np.zeros((2, 3, 4, 5), np.float32), isVector=False)
    _refused(save(tmp_path / "b.nrrd", four), "shape 5 x 4 x 3 x 2", "time point")


def test_without_the_library_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save(tmp_path / "a.nrrd", image())
    monkeypatch.setitem(__import__("sys").modules, "SimpleITK", None)
    _refused(path, "needs the package SimpleITK", "pip install 's2s2[volumes]'")
    assert reader_of(path) is not None


def _refused(path: Path, *said: str) -> None:
    with pytest.raises(DataError) as caught:
        read_volume(path)
    for each in said:
        assert each in str(caught.value)
    assert "\n" not in str(caught.value)
