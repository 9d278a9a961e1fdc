"""Image and synthetic go through one geometry and one interpolation."""

from __future__ import annotations

import numpy as np
import pytest

from s2s2.data.transforms.affine import PairedGeometry
from s2s2.data.transforms.config import GeometryConfig


@pytest.mark.parametrize("side", [24, 40, 64])
def test_equal_images_stay_equal(side: int) -> None:
    rng = np.random.default_rng(0)
    image, mask = rng.random((3, 40, 56), dtype=np.float32), np.ones((40, 56), np.uint8)
    geometry = PairedGeometry(max(side, 24), GeometryConfig(rotation_degrees=(-180, 180), scale=(0.5, 2)))
    for seed in range(20):
        views = geometry(image, image.copy(), mask, np.random.default_rng(seed))
        np.testing.assert_array_equal(views.image, views.synthetic)
