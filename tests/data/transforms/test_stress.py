from __future__ import annotations

import numpy as np
import pytest

from s2s2.core.streams import stream
from s2s2.data.transforms.stress import stressed


@pytest.mark.parametrize("channels", [1, 3, 5])
def test_a_stressed_image_is_an_image_that_depends_on_its_stream_alone(channels: int) -> None:
    image = np.random.default_rng(0).random((channels, 40, 56), np.float32)
    before = image.copy()
    found = [stressed(image, stream("stress", "case", version)) for version in (1, 1, 2)]
    np.testing.assert_array_equal(image, before)
    np.testing.assert_array_equal(found[0], found[1])
    assert (found[0] != found[2]).any()
    for each in found:
        assert each.shape == image.shape
        assert each.dtype == np.float32
        assert 0 <= each.min() < each.max() <= 1


def test_dark_becomes_bright_in_about_half_of_the_versions() -> None:
    ramp = np.linspace(0.1, 0.9, 64, dtype=np.float32)[None, None].repeat(64, axis=1)
    versions = [stressed(ramp, np.random.default_rng(seed)) for seed in range(120)]
    turned = np.mean([each[0, :, :16].mean() > each[0, :, -16:].mean() for each in versions])
    assert 0.35 < turned < 0.65
