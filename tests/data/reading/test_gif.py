from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from s2s2.data.files import SUFFIXES, image_header, read_image, read_mask_raw
from s2s2.errors import DataError


def test_a_mask_in_grey_is_read_as_levels(tmp_path: Path) -> None:
    mask = np.array([[0, 255, 255], [255, 0, 0]], np.uint8)
    Image.fromarray(mask).save(tmp_path / "mask.gif")
    assert np.array_equal(read_mask_raw(tmp_path / "mask.gif"), mask)
    header = image_header(tmp_path / "mask.gif")
    assert (header.shape, header.channels) == ((2, 3), 1)


def test_colours_of_a_palette_are_read(tmp_path: Path) -> None:
    pixels = np.array([[[255, 0, 0], [0, 0, 255]]], np.uint8)
    Image.fromarray(pixels).quantize(4).save(tmp_path / "a.gif")
    assert np.array_equal(read_image(tmp_path / "a.gif"), pixels.transpose(2, 0, 1) / np.float32(255))
    assert image_header(tmp_path / "a.gif").channels == 3


def test_an_animation_is_refused(tmp_path: Path) -> None:
    frames = [Image.fromarray(np.full((4, 4), level, np.uint8)) for level in (0, 90, 255)]
    frames[0].save(tmp_path / "film.gif", save_all=True, append_images=frames[1:])
    with pytest.raises(DataError, match=r"film\.gif cannot be read: it is a GIF of 3 pictures, expected one"):
        read_mask_raw(tmp_path / "film.gif")


def test_folders_are_not_searched_for_it() -> None:
    assert ".gif" not in SUFFIXES
