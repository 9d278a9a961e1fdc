from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from s2s2.errors import ShapeError
from s2s2.pictures import SheetRow, displayed, draw_sheet, grey_limits, overlay, painted

COLOURS = [(0, 0, 0), (240, 120, 0), (0, 100, 200)]


def labels() -> np.ndarray:
    drawn = np.zeros((30, 40), np.uint8)
    drawn[5:20, 5:20], drawn[22:28, 25:38] = 1, 2
    return drawn


def test_background_keeps_the_image_and_outlines_have_the_full_colour() -> None:
    image = np.random.default_rng(0).random((3, 30, 40)).astype(np.float32)
    picture = overlay(image, labels(), COLOURS)
    assert picture.shape == (30, 40, 3)
    outside = labels() == 0
    np.testing.assert_array_equal(picture[outside], np.round(np.moveaxis(image, 0, -1) * 255)[outside])
    assert picture[5, 5].tolist() == [240, 120, 0]
    assert picture[22, 30].tolist() == [0, 100, 200]


def test_without_a_tint_only_the_outline_is_drawn() -> None:
    image = np.full((3, 30, 40), 0.5, np.float32)
    picture = overlay(image, labels(), COLOURS, tint=0)
    assert picture[12, 12].tolist() == [128, 128, 128]


@pytest.mark.parametrize("channels", [1, 2, 5])
def test_any_number_of_channels_can_be_drawn(channels: int) -> None:
    image = np.zeros((channels, 30, 40), np.float32)
    image[0] = np.linspace(0.1, 0.2, 40)
    picture = overlay(image, 0 * labels(), COLOURS)
    np.testing.assert_array_equal(picture, displayed(image))
    assert (picture.min(), picture.max()) == (0, 255)


def test_large_images_get_a_wider_outline() -> None:
    drawn = np.zeros((1200, 1600), np.uint8)
    drawn[300:900, 300:900] = 1
    picture = overlay(np.zeros((1, 1200, 1600), np.float32), drawn, COLOURS, tint=0)
    assert (picture[600, 300:310, 0] == 240).sum() == 4


def test_shapes_must_agree() -> None:
    with pytest.raises(ShapeError, match=r"got \(30, 41\) and \(30, 40\)"):
        overlay(np.zeros((1, 30, 41), np.float32), labels(), COLOURS)


def test_colours_are_shown_as_they_are() -> None:
    image = np.zeros((3, 8, 8), np.float32)
    image[0] = 1.0
    assert displayed(image, 100)[0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize("channels", [1, 2, 5])
def test_other_channels_are_shown_in_stretched_grey(channels: int) -> None:
    image = np.tile(np.linspace(0.10, 0.12, 64, dtype=np.float32).reshape(8, 8), (channels, 1, 1))
    shown = displayed(image, 8)
    assert shown.shape == (8, 8, 3)
    assert (int(shown.min()), int(shown.max())) == (0, 255)


def test_masks_are_painted_in_the_colours_of_their_classes_at_any_size() -> None:
    colours = np.array(COLOURS, np.uint8)
    np.testing.assert_array_equal(painted(labels(), COLOURS), colours[labels()])
    assert painted(labels(), COLOURS, 20).shape == (15, 20, 3)
    np.testing.assert_array_equal(painted(labels(), COLOURS, 20), colours[labels()[1::2, 1::2]])


def test_a_sheet_has_a_tile_for_every_picture_and_the_same_bytes_again(tmp_path: Path) -> None:
    image = np.random.default_rng(0).random((1, 30, 40)).astype(np.float32)
    pictures = {"image": displayed(image), "mask": painted(labels(), COLOURS)}
    for name in ("one.jpg", "two.jpg"):
        draw_sheet([SheetRow("case", pictures)] * 3, tmp_path / name)
    assert (tmp_path / "one.jpg").read_bytes() == (tmp_path / "two.jpg").read_bytes()
    with Pillow.open(tmp_path / "one.jpg") as sheet:
        assert sheet.size == (2 * 166 + 6, 21 + 3 * 181)
        red, green, blue = sheet.getpixel((6 + 166 + 40, 21 + 15 + 40))
    assert red > 200 > green > blue


def test_a_constant_image_is_shown() -> None:
    assert displayed(np.full((1, 8, 8), 0.3, np.float32), 8).max() == 0


def test_several_images_can_be_shown_in_one_range() -> None:
    dark, bright = np.linspace(0, 0.5, 64), np.linspace(0.5, 1, 64)
    images = [values.reshape(1, 8, 8).astype(np.float32) for values in (dark, bright)]
    limits = grey_limits(np.stack(images))
    shown = [displayed(image, limits=limits).astype(int) for image in images]
    assert shown[0].max() < shown[1].max()
    assert shown[1].min() == pytest.approx(127, abs=3)
    assert [displayed(image).max() for image in images] == [255, 255]
