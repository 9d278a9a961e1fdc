"""Tiny data sets in nnU-Net's raw format: volumes and flat images."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from PIL import Image

from tests.drawn import draw_case

AFFINE = np.array([[-0.8, 0, 0, 20], [0, -0.8, 0, 30], [0, 0, 5, -40], [0, 0, 0, 1.0]])


def describe(root: Path, channels: Sequence[str], ending: str, **content: Any) -> Path:
    """Write dataset.json of version 2 for two classes; `content` replaces what it says."""
    said = {
        "channel_names": {str(number): name for number, name in enumerate(channels)},
        "labels": {"background": 0, "organ": 1},
        "numTraining": 4,
        "file_ending": ending,
    }
    (root / "dataset.json").write_text(json.dumps({**said, **content}))
    return root


def draw_nnunet(
    root: Path,
    names: Sequence[str] = ("a", "b", "c", "d"),
    *,
    channels: Sequence[str] = ("CT",),
    shape: tuple[int, int, int] = (24, 20, 4),
    seed: int = 0,
) -> Path:
    """Write volumes in HU, the last of whose slices is empty, as Dataset001_Drawn has them."""
    rng = np.random.default_rng(seed)
    for folder in ("imagesTr", "labelsTr"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    for name in names:
        values, labels = draw_volume(rng, shape)
        for number in range(len(channels)):
            save(root / "imagesTr" / f"{name}_{number:04d}.nii.gz", values - np.int16(number))
        save(root / "labelsTr" / f"{name}.nii.gz", labels)
    return describe(root, channels, ".nii.gz")


def draw_volume(rng: np.random.Generator, shape: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return voxels from -1000 to about 250 HU and labels, both of shape (i, j, k)."""
    values, labels = np.zeros(shape, np.int16), np.zeros(shape, np.uint8)
    for number in range(shape[2]):
        image, mask = draw_case(rng, shape[:2], channels=1)
        values[..., number] = image.astype(np.int16) - 20
        labels[..., number] = mask if number < shape[2] - 1 else 0
    values[0] = -1000
    return values, labels


def draw_pictures(
    root: Path, names: Sequence[str] = ("a", "b", "c", "d", "e", "f"), *, channels: int = 3, seed: int = 0
) -> Path:
    """Write PNG images, RGB in one file or grey, as nnU-Net takes them."""
    rng = np.random.default_rng(seed)
    for folder in ("imagesTr", "labelsTr"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    for name in names:
        image, mask = draw_case(rng, (40, 56), channels=channels)
        Image.fromarray(image).save(root / "imagesTr" / f"{name}_0000.png")
        Image.fromarray(mask).save(root / "labelsTr" / f"{name}.png")
    return describe(root, "RGB"[:channels], ".png")


def save(path: Path, voxels: np.ndarray) -> None:
    """Write a NIfTI file."""
    nib.Nifti1Image(voxels, AFFINE).to_filename(path)
