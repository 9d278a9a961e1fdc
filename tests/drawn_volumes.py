"""Volumes that tests draw: discs in noise, as NIfTI files with any affine."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np

from s2s2.core.types import Floats, RawPixels

_C, _S = np.cos(0.2), np.sin(0.2)
AFFINE = np.array(
    [[-1.5 * _C, -1.2 * _S, 0, 10], [-1.5 * _S, 1.2 * _C, 0, -20], [0, 0, 6, 30], [0, 0, 0, 1.0]]
)
"""Left, front and head, a little oblique; slices 6 mm apart."""


def disc(
    seed: int, shape: tuple[int, int, int] = (40, 48, 6), *, invert: bool = False
) -> tuple[RawPixels, RawPixels]:
    """Return voxels (int16) and labels 0, 1, 2 (uint8) of a tube in a tube; the end slices hold none."""
    rng = np.random.default_rng(seed)
    x, y, z = np.mgrid[: shape[0], : shape[1], : shape[2]]
    centre = rng.uniform(0.35, 0.6, 2) * shape[:2]
    radius = rng.uniform(0.2, 0.3) * min(shape[:2])
    distance = np.hypot(x - centre[0], y - centre[1])
    inner = (z > 0) & (z < shape[2] - 1)
    labels = ((distance <= radius) & inner).astype(np.uint8)
    labels[(distance <= radius / 2) & inner] = 2
    voxels = rng.normal(100, 15, shape) + 60.0 * (labels == 1) - 50.0 * (labels == 2)
    return (300 - voxels if invert else voxels).astype(np.int16), labels


def save(path: Path, voxels: RawPixels, affine: Floats = AFFINE) -> Path:
    """Write a NIfTI file and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(voxels, affine), path)
    return path


def draw_volumes(
    root: Path, patients: int = 6, *, seed: int = 0, affine: Floats = AFFINE, invert: bool = False
) -> Path:
    """Write root/images/patient0.nii.gz and its mask for each patient, and return root."""
    for patient in range(patients):
        voxels, labels = disc(seed + patient, invert=invert)
        save(root / "images" / f"patient{patient}.nii.gz", voxels, affine)
        save(root / "masks" / f"patient{patient}.nii.gz", labels, affine)
    return root
