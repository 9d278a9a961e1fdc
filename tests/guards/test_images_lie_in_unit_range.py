"""Published hints lay in 0..255 and targets in two ranges; here one range holds from file to network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from s2s2.data import Dataset, split_by_group
from s2s2.generators import build_generator
from s2s2.stack import PairedDataset, build_stack
from tests.drawn import draw_case


def write_site(root: Path, bits: int) -> Path:
    """Eight grey cases whose images reach both ends of their range."""
    rng = np.random.default_rng(0)
    for folder in ("images", "masks"):
        (root / folder).mkdir(parents=True)
    for number in range(8):
        image, mask = draw_case(rng, (40, 48), channels=1, bits=bits)
        image[0, :2] = 0, 2**bits - 1
        tifffile.imwrite(root / "images" / f"{number}.tif", image)
        Image.fromarray(mask).save(root / "masks" / f"{number}.png")
    return root


@pytest.mark.parametrize("bits", [8, 16])
def test_from_file_to_network_every_image_lies_in_unit_range(bits: int, tmp_path: Path) -> None:
    site = write_site(tmp_path / "site", bits)
    native = Dataset.open(site)
    assert native.image(native[0]).min() == 0
    assert native.image(native[0]).max() == 1
    dataset = Dataset.open(site, size=32)
    split = split_by_group(dataset, counts=(6, 1, 1))
    generator = build_generator("composite+appearance+boxes")
    stack = build_stack(generator, dataset, split, tmp_path / "stack", depth=2, seed=0, bits=bits)
    train = split.training(dataset).train
    pairs = PairedDataset(train, stack, side=32, view="stack")
    for place in range(len(train)):
        for epoch in range(3):
            pair = pairs[(place, epoch)]
            for view in ("image", "synthetic"):
                assert pair[view].min() >= 0
                assert pair[view].max() <= 1
