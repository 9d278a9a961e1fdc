"""Volumes that cannot be read: how each is made, and what must be said of it."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import h5py
import nibabel
import numpy as np
import SimpleITK

from s2s2.data.volumes.formats import read_volume
from tests.data.volumes.dicom_made import save as save_dicom, save_series, slice_of

SHAPE = (4, 32, 40)
"""Slices, rows and columns."""


def voxels(seed: int = 0, shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 900, shape).astype(np.int16)


def labels(seed: int = 0) -> np.ndarray:
    return (voxels(seed) > 500).astype(np.uint8)


def save_nifti(path: Path, array: np.ndarray, *, suffix: str = ".nii.gz", spacing: float = 2.0) -> Path:
    path = path.with_name(path.name + suffix)
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.Nifti1Image(array.T, np.diag([1.0, 1.0, spacing, 1.0])).to_filename(path)
    return path


def save_itk(path: Path, array: np.ndarray, *, suffix: str) -> Path:
    path = path.with_name(path.name + suffix)
    path.parent.mkdir(parents=True, exist_ok=True)
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(array, isVector=False), str(path), True)
    return path


def save_h5(path: Path, array: np.ndarray, mask: np.ndarray | None = None) -> Path:
    path = path.with_name(path.name + ".h5")
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        file.create_dataset("image", data=array, compression="gzip")
        file.create_dataset("label", data=labels() if mask is None else mask, compression="gzip")
    return path


def save_dicom_series(path: Path, array: np.ndarray) -> Path:
    return save_series(path, array.astype(np.uint16), PatientID=path.name)


SAVE: dict[str, Callable[[Path, np.ndarray], Path]] = {
    "nifti": save_nifti,
    "dicom": save_dicom_series,
    "nrrd": lambda path, array: save_itk(path, array, suffix=".nrrd"),
    "mha": lambda path, array: save_itk(path, array, suffix=".mha"),
    "h5": save_h5,
}


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-200])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def flipped(path: Path) -> None:
    """Change one byte of the compressed voxels: the readers of these formats do not all look at checksums."""
    content = bytearray(path.read_bytes())
    content[len(content) * 3 // 4] ^= 0x55
    path.write_bytes(content)


def with_nan(path: Path, save: Callable[[Path, np.ndarray], Path]) -> None:
    array = voxels().astype(np.float32)
    array[1, 2, 3] = np.nan
    array[1, 2, 4] = -np.inf
    save(path.with_name("bad"), array)


def many(path: Path, save: Callable[[Path, np.ndarray], Path]) -> None:
    save(path.with_name("bad"), voxels(shape=(2, *SHAPE)))


def promised(path: Path) -> None:
    """Write a header of more voxels than there are."""
    content = bytearray(gzip.decompress(path.read_bytes()))
    content[42:48] = np.array([40, 32, 400], "<i2").tobytes()
    path.write_bytes(gzip.compress(bytes(content)))


def promised_much(path: Path) -> None:
    content = bytearray(gzip.decompress(path.read_bytes()))
    content[42:48] = np.array([30000, 30000, 30000], "<i2").tobytes()
    path.write_bytes(gzip.compress(bytes(content)))


def without_place(path: Path) -> None:
    """Write an affine of zeros."""
    image = nibabel.Nifti1Image(voxels().T, np.eye(4))
    image.header["srow_x"] = image.header["srow_y"] = image.header["srow_z"] = 0
    image.header["sform_code"] = 1
    content = bytearray(image.to_bytes())
    content[280:328] = bytes(48)
    path.write_bytes(gzip.compress(bytes(content)))


def in_colours(path: Path) -> None:
    colours = np.zeros((40, 32, 4), [("R", "u1"), ("G", "u1"), ("B", "u1")])
    nibabel.Nifti1Image(colours, np.eye(4)).to_filename(path)


def flattened(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content.replace(b"(0,0,1)", b"(0,0,0)"))


def slice_changed(**changes: object) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        save_dicom(slice_of(voxels()[1].astype(np.uint16), 1, **changes), path / "IM0010")

    return change


def slice_lost(path: Path) -> None:
    (path / "IM0010").unlink()


BOTH = "NaN or infinite"
FAULTS: dict[tuple[str, str], tuple[Callable[[Path], None], tuple[str, ...]]] = {
    ("nifti", "0 bytes"): (emptied, ("bad.nii.gz", "0 bytes", "Expected a whole", "copy it again")),
    ("nifti", "truncated"): (cut_off, ("bad.nii.gz", "cannot be read", "copy it again")),
    ("nifti", "corrupt"): (flipped, ("bad.nii.gz", "cannot be read", "copy it again")),
    ("nrrd", "corrupt"): (flipped, ("bad.nrrd", "compressed voxels are corrupt", "copy it again")),
    ("mha", "corrupt"): (flipped, ("bad.mha", "compressed voxels are corrupt", "copy it again")),
    ("nifti", "promises more"): (promised, ("bad.nii.gz", "cannot be read", "copy it again")),
    ("nifti", "promises far more"): (promised_much, ("30000 x 30000 x 30000 voxels", "copy it again")),
    ("nifti", "NaN"): (lambda p: with_nan(p, save_nifti), ("bad.nii.gz", "2 voxels", BOTH, "save it again")),
    ("nifti", "4D"): (lambda p: many(p, save_nifti), ("shape 40 x 32 x 4 x 2", "three axes", "_0000")),
    ("nifti", "affine of zeros"): (without_place, ("bad.nii.gz", "no place in space", "header again")),
    ("nifti", "colours"): (in_colours, ("bad.nii.gz holds colours", "one channel")),
    ("dicom", "0 bytes"): (lambda p: emptied(p / "IM0010"), ("IM0010", "0 bytes", "Copy it again")),
    ("dicom", "truncated"): (lambda p: cut_off(p / "IM0010"), ("IM0010", "whole file", "copy it again")),
    ("dicom", "missing slice"): (slice_lost, ("bad do not lie evenly", "1 slice is missing", "Copy")),
    ("dicom", "two series"): (
        slice_changed(SeriesInstanceUID="1.2.3"),
        ("2 series", "1.2.3 (1 file)", "folder of its own"),
    ),
    ("dicom", "orientations"): (
        slice_changed(ImageOrientationPatient=[1.0, 0, 0, 0, 0, -1.0]),
        ("several orientations", "IM0010", "folder of its own"),
    ),
    ("dicom", "no place"): (
        slice_changed(ImagePositionPatient=None),
        ("IM0010 has no ImagePositionPatient", "expected 3 numbers", "take out"),
    ),
    ("nrrd", "0 bytes"): (emptied, ("bad.nrrd", "0 bytes", "copy it again")),
    ("nrrd", "truncated"): (cut_off, ("bad.nrrd", "cannot be read", "copy it again")),
    ("nrrd", "NaN"): (lambda p: with_nan(p, SAVE["nrrd"]), ("bad.nrrd", "2 voxels", BOTH)),
    ("nrrd", "4D"): (lambda p: many(p, SAVE["nrrd"]), ("shape 40 x 32 x 4 x 2", "three axes")),
    ("nrrd", "affine of zeros"): (flattened, ("bad.nrrd", "again")),
    ("mha", "0 bytes"): (emptied, ("bad.mha", "0 bytes", "copy it again")),
    ("mha", "truncated"): (cut_off, ("bad.mha", "cannot be read", "copy it again")),
    ("mha", "NaN"): (lambda p: with_nan(p, SAVE["mha"]), ("bad.mha", "2 voxels", BOTH)),
    ("h5", "0 bytes"): (emptied, ("bad.h5", "cannot be read", "copy it again")),
    ("h5", "truncated"): (cut_off, ("bad.h5", "cannot be read", "copy it again")),
    ("h5", "NaN"): (lambda p: with_nan(p, save_h5), ("bad.h5", "2 voxels", BOTH)),
    ("h5", "4D"): (lambda p: many(p, save_h5), ("shape 2 x 4 x 32 x 40", "(slice, row, column)")),
}


def draw_one_bad(root: Path, kind: str, fault: str, part: str = "images") -> Path:
    """Write a data set of three good volumes and a bad one, `bad`; return the folder of the images.

    Args:
        root: Where to.
        kind: Format of the volumes.
        fault: What is wrong, as in `FAULTS`.
        part: What is bad: images or masks.
    """
    images = root if kind == "h5" else root / "images"
    for number, name in enumerate(("bad", "one", "three", "two")):
        path = SAVE[kind](images / name, voxels(number))
        if kind == "dicom":
            affine = read_volume(path).affine
            (root / "masks").mkdir(exist_ok=True)
            nibabel.Nifti1Image(labels(number).T, affine).to_filename(root / "masks" / f"{name}.nii.gz")
        elif kind != "h5":
            mask = SAVE[kind](root / "masks" / name, labels(number))
        if name == "bad":
            FAULTS[kind, fault][0](mask if part == "masks" else path)
    return images
