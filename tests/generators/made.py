"""Data sets for the tests of the generators: any channels, classes and bits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tifffile
from PIL import Image

from s2s2.data import Dataset, Split
from tests.drawn import draw_case

SPECS = (
    "composite",
    "appearance",
    "appearance(extrapolate=0.5)",
    "boxes",
    "randconv",
    "composite+randconv",
    "composite+appearance+boxes",
    "appearance:2,composite+boxes:1",
)


def drawn(
    root: Path,
    *,
    channels: int = 3,
    classes: int = 2,
    bits: int = 8,
    cases: int = 8,
    shape: tuple[int, int] = (40, 56),
    size: int = 48,
    seed: int = 0,
) -> Dataset:
    """Cases of two frames a group; the last case has no foreground, the first alone shows the last class."""
    rng = np.random.default_rng(seed)
    for folder in ("images", "masks"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    rows = ["case,group"]
    for index in range(cases):
        image, mask = draw_case(rng, shape, channels=max(channels, 2), classes=classes, bits=bits)
        mask[mask == classes - 1] = classes - 1 if index == 0 or classes == 2 else 0
        mask[:] = 0 if index == cases - 1 else mask
        planes = np.ascontiguousarray(image.transpose(2, 0, 1)[:channels])
        colour = channels == 3
        page = planes.transpose(1, 2, 0) if colour else planes if channels > 1 else planes[0]
        tifffile.imwrite(
            root / "images" / f"case_{index}.tif",
            page,
            photometric="rgb" if colour else "minisblack",
            planarconfig=None if colour or channels == 1 else "separate",
        )
        Image.fromarray(mask).save(root / "masks" / f"case_{index}.png")
        rows.append(f"case_{index},group_{index // 2}")
    (root / "groups.csv").write_text("\n".join(rows) + "\n")
    return Dataset.open(root, size=size)


def split_of(dataset: Dataset, *, held_out: int = 0) -> Split:
    """The last cases before the blank one are held out, two groups of them when 4."""
    ids = dataset.ids
    train = (*ids[: len(ids) - 2 - held_out], *ids[len(ids) - 2 :])
    rest = ids[len(ids) - 2 - held_out : len(ids) - 2]
    return Split(train=train, validation=rest[: held_out // 2], test=rest[held_out // 2 :])
