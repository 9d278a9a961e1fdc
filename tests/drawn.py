"""Drawn data sets: ellipses on a noisy ground, small enough for every test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

SMALL_NETWORK: dict[str, Any] = {
    "name": "monai.networks.nets.UNet",
    "init_args": {
        "spatial_dims": 2,
        "in_channels": "{channels}",
        "out_channels": "{classes}",
        "channels": [4, 8, 16],
        "strides": [2, 2],
        "dropout": 0.1,
    },
    "encoder_taps": ("model.1.submodule.1",),
    "decoder_taps": ("model.1.submodule.2",),
}
"""Fields of a `NetworkConfig` that trains in a moment."""


def draw_case(
    rng: np.random.Generator, shape: tuple[int, int], *, channels: int = 3, classes: int = 2, bits: int = 8
) -> tuple[np.ndarray, np.ndarray]:
    """Return an image (height, width[, channel]) and its label map (height, width)."""
    height, width = shape
    rows, columns = np.mgrid[:height, :width]
    mask = np.zeros(shape, np.uint8)
    image = np.repeat((0.35 + 0.1 * rng.standard_normal(shape))[..., None], channels, axis=-1)
    image *= 0.8 + 0.4 * rng.random(channels)
    for label in range(1, classes):
        centre = rng.uniform(0.3, 0.7, 2) * shape
        radii = rng.uniform(0.12, 0.25, 2) * min(shape)
        inside = ((rows - centre[0]) / radii[0]) ** 2 + ((columns - centre[1]) / radii[1]) ** 2 < 1
        mask[inside] = label
        image[inside] = rng.uniform(0.6, 0.9, channels) + 0.05 * rng.standard_normal((inside.sum(), channels))
    top = 2**bits - 1
    image = (np.clip(image, 0, 1) * top).astype(np.uint8 if bits == 8 else np.uint16)
    return (image[..., 0] if channels == 1 else image), mask


def draw_site(
    root: Path,
    *,
    cases: int = 12,
    shape: tuple[int, int] = (40, 56),
    channels: int = 3,
    classes: int = 2,
    seed: int = 0,
    frames_per_group: int = 2,
    foreground: int = 255,
) -> Path:
    """Write a folder with images/, masks/ and groups.csv, and return it.

    With two classes the masks hold 0 and `foreground`; with more they hold the ids.
    """
    rng = np.random.default_rng(seed)
    for folder in ("images", "masks"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    rows = ["case,group"]
    for index in range(cases):
        image, mask = draw_case(rng, shape, channels=channels, classes=classes)
        name = f"case_{index:02d}"
        Image.fromarray(image).save(root / "images" / f"{name}.png")
        Image.fromarray(mask * np.uint8(foreground) if classes == 2 else mask).save(
            root / "masks" / f"{name}.png"
        )
        rows.append(f"{name},group_{index // frames_per_group}")
    (root / "groups.csv").write_text("\n".join(rows) + "\n")
    return root
