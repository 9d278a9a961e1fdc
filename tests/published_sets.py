"""Tiny files of the data sets of the paper's tables, with enough cases to train, validate and test on."""

from __future__ import annotations

from pathlib import Path

import h5py
import nibabel as nib
import numpy as np

from tests.drawn import draw_case
from tests.public_sets import draw_polyps

SHAPE = (40, 40)


def draw_published(place: Path) -> None:
    """Write Synapse, ACDC, SLAug (abdomen) and SLAug-cardiac below a folder, as they are distributed."""
    rng = np.random.default_rng(5)
    _draw_synapse(place / "Synapse", rng)
    for patient in range(1, 11):
        for number in range(2):
            name = f"patient{patient:03d}_frame01_slice_{number}.h5"
            _write_h5(place / "ACDC" / "ACDC_training_slices" / name, *_slice(rng, 4))
    for domain in ("SABSCT/processed", "CHAOST2/processed"):
        _draw_volumes(place / "SLAug" / domain, rng, classes=5)
    for domain in ("processed/bSSFP", "processed/LGE"):
        _draw_volumes(place / "SLAug-cardiac" / domain, rng, classes=4)


def draw_all(place: Path) -> None:
    """Write every data set of the paper's tables below a folder."""
    draw_published(place)
    draw_polyps(place)


def _draw_synapse(root: Path, rng: np.random.Generator) -> None:
    for patient in range(5, 15):
        for number in range(2):
            path = root / "train_npz" / f"case{patient:04d}_slice{number:03d}.npz"
            image, mask = _slice(rng, 9)
            path.parent.mkdir(parents=True, exist_ok=True)
            np.savez(path, image=image, label=mask.astype(np.float32))
    for patient in range(1, 4):
        _write_h5(root / "test_vol_h5" / f"case{patient:04d}.npy.h5", *_volume(rng, 9))


def _draw_volumes(folder: Path, rng: np.random.Generator, *, classes: int) -> None:
    folder.mkdir(parents=True)
    for number in range(10):
        for name, pixels in zip(("image", "label"), _volume(rng, classes), strict=True):
            voxels = nib.Nifti1Image(np.moveaxis(pixels, 0, -1), np.diag([1.5, 1.5, 5, 1]))
            nib.save(voxels, folder / f"{name}_{number}.nii.gz")


def _volume(rng: np.random.Generator, classes: int) -> tuple[np.ndarray, np.ndarray]:
    slices = [_slice(rng, classes) for _ in range(2)]
    return np.stack([image for image, _ in slices]), np.stack([mask for _, mask in slices])


def _slice(rng: np.random.Generator, classes: int) -> tuple[np.ndarray, np.ndarray]:
    image, mask = draw_case(rng, SHAPE, channels=1, classes=classes)
    return (image / 255).astype(np.float32), mask


def _write_h5(path: Path, image: np.ndarray, mask: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        file["image"], file["label"] = image, mask
