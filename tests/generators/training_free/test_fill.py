from __future__ import annotations

import numpy as np
import pytest

from s2s2.generators.training_free.fill import dark_surround, dilate, field_of_view, push_pull
from s2s2.generators.training_free.pyramid import expand, reduce


def scope(side: int = 64, radius: float = 24, value: float = 0.6) -> np.ndarray:
    """A lit disc on black, as an endoscope or a fundus camera shows it."""
    rows, columns = np.mgrid[:side, :side]
    inside = np.hypot(rows - side / 2, columns - side / 2) < radius
    return np.where(inside, value, 0.01)[None].astype(np.float32)


def test_the_dark_surround_is_what_lies_outside_the_disc() -> None:
    image = scope()
    image[:, 30:34, 30:34] = 0  # a dark spot inside is no surround
    np.testing.assert_array_equal(dark_surround(image), scope()[0] < 0.1)


@pytest.mark.parametrize("scale", [1.0, 0.05])
def test_the_dark_surround_does_not_depend_on_the_range(scale: float) -> None:
    np.testing.assert_array_equal(dark_surround(scope() * np.float32(scale)), scope()[0] < 0.1)


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_a_flat_image_has_no_surround(value: float) -> None:
    assert not dark_surround(np.full((3, 20, 30), value, np.float32)).any()


def test_a_dark_class_is_no_surround_but_a_label_that_spills_over_the_rim_is() -> None:
    image = scope()
    dark = image[0] < 0.1
    spilled = np.zeros_like(dark)
    spilled[30:34, 6:40] = True
    spilled[20:44, 20:40] = True  # much of it in the light
    hidden, grown = field_of_view(image, spilled)
    np.testing.assert_array_equal(hidden, dark)
    np.testing.assert_array_equal(grown, dilate(dark, 0.5))
    air = dark & (np.arange(64) < 30)
    hidden, grown = field_of_view(image, air)
    np.testing.assert_array_equal(hidden, dark & ~air)
    assert not (grown & air).any()


def test_dilate_is_what_loops_give() -> None:
    region = np.random.default_rng(1).random((12, 9)) > 0.9
    grown = np.zeros_like(region)
    for row, column in np.argwhere(region):
        grown[max(0, row - 2) : row + 3, max(0, column - 2) : column + 3] = True
    np.testing.assert_array_equal(dilate(region, 2.2), grown)
    np.testing.assert_array_equal(dilate(region, 0.4), region)


def pulled(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Push-pull as a recursion, one cell at a time."""
    if weight.min() >= 0.5 or weight.size == 1:
        return values / weight
    coarse = expand(pulled(reduce(values), reduce(weight)), weight.shape[-2:])
    out = np.empty_like(values)
    for row, column in np.ndindex(*weight.shape[-2:]):
        share = weight[0, row, column]
        out[:, row, column] = values[:, row, column] + (1 - share) * coarse[:, row, column]
    return out


def test_push_pull_is_what_its_recursion_gives() -> None:
    rng = np.random.default_rng(0)
    image = rng.random((2, 21, 26), np.float32)
    hole = np.zeros((21, 26), bool)
    hole[4:17, 6:20] = True
    known = (~hole).astype(np.float32)[None]
    filled = push_pull(image, hole)
    np.testing.assert_allclose(filled, pulled(image * known, known), atol=1e-5)
    np.testing.assert_array_equal(filled[:, ~hole], image[:, ~hole])


def test_push_pull_continues_its_surroundings() -> None:
    columns = np.linspace(0, 1, 64, dtype=np.float32)
    ramp = np.repeat(columns[None], 64, axis=0)[None]
    hole = np.zeros((64, 64), bool)
    hole[24:40, 24:40] = True
    spoilt = ramp.copy()
    spoilt[:, hole] = 9.0
    assert np.abs(push_pull(spoilt, hole) - ramp).max() < 0.12


@pytest.mark.parametrize("everywhere", [True, False])
def test_push_pull_leaves_images_without_or_full_of_holes(everywhere: bool) -> None:
    image = np.random.default_rng(0).random((1, 8, 8), np.float32)
    np.testing.assert_array_equal(push_pull(image, np.full((8, 8), everywhere)), image)
