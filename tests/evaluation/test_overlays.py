from __future__ import annotations

import numpy as np
import pytest

from s2s2.errors import ShapeError
from s2s2.evaluation import draw_overlay

COLOURS = [(0, 0, 0), (240, 120, 0), (0, 100, 200)]


def labels() -> np.ndarray:
    drawn = np.zeros((30, 40), np.uint8)
    drawn[5:20, 5:20], drawn[22:28, 25:38] = 1, 2
    return drawn


def test_background_keeps_the_image_and_outlines_have_the_full_colour() -> None:
    image = np.random.default_rng(0).random((3, 30, 40)).astype(np.float32)
    picture = draw_overlay(image, labels(), COLOURS)
    assert picture.shape == (30, 40, 3)
    outside = labels() == 0
    np.testing.assert_array_equal(picture[outside], np.round(np.moveaxis(image, 0, -1) * 255)[outside])
    assert picture[5, 5].tolist() == [240, 120, 0]
    assert picture[22, 30].tolist() == [0, 100, 200]


def test_without_a_tint_only_the_outline_is_drawn() -> None:
    image = np.full((1, 30, 40), 0.5, np.float32)
    picture = draw_overlay(image, labels(), COLOURS, tint=0)
    assert picture[12, 12].tolist() == [128, 128, 128]


@pytest.mark.parametrize("channels", [1, 2, 5])
def test_any_number_of_channels_can_be_drawn(channels: int) -> None:
    image = np.zeros((channels, 30, 40), np.float32)
    image[0] = 0.2
    picture = draw_overlay(image, 0 * labels(), COLOURS)
    assert (picture == 51).all()


def test_large_images_get_a_wider_outline() -> None:
    drawn = np.zeros((1200, 1600), np.uint8)
    drawn[300:900, 300:900] = 1
    picture = draw_overlay(np.zeros((1, 1200, 1600), np.float32), drawn, COLOURS, tint=0)
    assert (picture[600, 300:310, 0] == 240).sum() == 4


def test_shapes_must_agree() -> None:
    with pytest.raises(ShapeError, match=r"got \(30, 41\) and \(30, 40\)"):
        draw_overlay(np.zeros((1, 30, 41), np.float32), labels(), COLOURS)
