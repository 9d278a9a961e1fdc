from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from s2s2.data.transforms.affine import PairedGeometry, Views
from s2s2.data.transforms.config import UNCHANGED, GeometryConfig, PhotometricConfig
from s2s2.data.transforms.photometric import photometric
from s2s2.errors import ConfigError, ShapeError

STILL = PhotometricConfig((0, 0), (1, 1), (1, 1), (1, 1), (0, 0))


def drawn(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random(shape, dtype=np.float32)


def labels(shape: tuple[int, int], classes: int = 3, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, classes, shape, dtype=np.uint8)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def naive_geometry(
    image: np.ndarray, mask: np.ndarray, side: int, *, degrees: float, scale: float, shift: float, flip: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same map, pixel by pixel."""
    channels, height, width = image.shape
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    result = np.zeros((channels, side, side))
    ids = np.zeros((side, side), np.uint8)
    inside = np.zeros((side, side), bool)
    for row in range(side):
        for column in range(side):
            dx, dy = column + 0.5 - width / 2, row + 0.5 - height / 2
            dx = -dx if flip else dx
            x = (cosine * dx + sine * dy) / scale + width / 2 + shift * max(height, width)
            y = (-sine * dx + cosine * dy) / scale + height / 2 + shift * max(height, width)
            if not (0 <= x <= width and 0 <= y <= height):
                continue
            inside[row, column] = True
            ids[row, column] = mask[min(int(y), height - 1), min(int(x), width - 1)]
            fx, fy = min(max(x - 0.5, 0), width - 1), min(max(y - 0.5, 0), height - 1)
            left, top = int(fx), int(fy)
            right, bottom = min(left + 1, width - 1), min(top + 1, height - 1)
            wx, wy = fx - left, fy - top
            result[:, row, column] = (
                image[:, top, left] * (1 - wx) * (1 - wy)
                + image[:, top, right] * wx * (1 - wy)
                + image[:, bottom, left] * (1 - wx) * wy
                + image[:, bottom, right] * wx * wy
            )
    return result, ids, inside


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize(
    ("degrees", "scale", "shift"), [(0, 1, 0), (23, 1, 0), (-140, 1.2, 0.07), (8, 0.8, -0.1)]
)
def test_geometry_is_the_map_written_by_hand(flip: bool, degrees: float, scale: float, shift: float) -> None:
    image, mask = drawn((2, 13, 18)), labels((13, 18))
    config = GeometryConfig(float(flip), 0.0, (degrees, degrees), (scale, scale), (shift, shift))
    views = PairedGeometry(20, config)(image, None, mask, rng())
    expected, ids, inside = naive_geometry(
        image, mask, 20, degrees=degrees, scale=scale, shift=shift, flip=flip
    )
    assert (views.inside != inside).sum() <= 2  # a pixel that lies on the border to the last bit
    both = views.inside & inside
    np.testing.assert_allclose(views.image[:, both], expected[:, both], atol=2e-5)
    assert (views.mask[both] != ids[both]).sum() <= 2


def test_unchanged_geometry_only_pads() -> None:
    image, mask = drawn((3, 20, 31)), labels((20, 31))
    views = PairedGeometry(32, UNCHANGED)(image, None, mask, rng())
    np.testing.assert_allclose(views.image, np.pad(image, ((0, 0), (0, 12), (0, 1))), atol=2e-5)
    np.testing.assert_array_equal(views.mask, np.pad(mask, ((0, 12), (0, 1))))
    assert views.inside[:20, :31].all()
    assert views.inside.sum() == 20 * 31
    assert views.synthetic is None
    assert views.image.dtype == np.float32
    assert views.mask.dtype == np.uint8


@pytest.mark.parametrize(("horizontal", "vertical", "axis"), [(1, 0, 1), (0, 1, 0), (1, 1, (0, 1))])
def test_flips_are_those_of_numpy(horizontal: int, vertical: int, axis: int | tuple[int, int]) -> None:
    image, mask = drawn((1, 16, 24)), labels((16, 24))
    config = dataclasses.replace(UNCHANGED, flip_horizontal=horizontal, flip_vertical=vertical)
    views = PairedGeometry(32, config)(image, None, mask, rng())
    np.testing.assert_allclose(views.image[0, :16, :24], np.flip(image[0], axis), atol=2e-5)
    np.testing.assert_array_equal(views.mask[:16, :24], np.flip(mask, axis))


def test_a_quarter_turn_is_that_of_numpy() -> None:
    image, mask = drawn((3, 32, 32)), labels((32, 32))
    config = dataclasses.replace(UNCHANGED, rotation_degrees=(90, 90))
    views = PairedGeometry(32, config)(image, None, mask, rng())
    np.testing.assert_allclose(views.image, np.rot90(image, -1, axes=(1, 2)), atol=2e-5)
    np.testing.assert_array_equal(views.mask, np.rot90(mask, -1))


def test_mask_stays_on_its_image() -> None:
    rows, columns = np.mgrid[:64, :80]
    mask = ((rows - 30) ** 2 + (columns - 45) ** 2 < 300).astype(np.uint8)
    image = mask[None].astype(np.float32)
    for seed in range(10):
        views = PairedGeometry(96)(image, None, mask, rng(seed))
        disagree = (views.image[0] > 0.5) != (views.mask > 0)
        assert disagree.mean() < 0.005


def test_same_stream_same_bytes_and_other_stream_others() -> None:
    image, mask = drawn((3, 24, 30)), labels((24, 30))
    first, again, other = (PairedGeometry(32)(image, image, mask, rng(seed)) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.image, again.image)
    assert (first.image != other.image).any()


@pytest.mark.parametrize("channels", [1, 2, 3, 5])
def test_any_number_of_channels(channels: int) -> None:
    image, mask = drawn((channels, 24, 30)), labels((24, 30))
    views = PairedGeometry(32)(image, image, mask, rng())
    assert views.image.shape == (channels, 32, 32)
    changed = photometric(views.image, rng(), PhotometricConfig(), views.inside)
    assert changed.shape == (channels, 32, 32)
    assert changed.min() >= 0
    assert changed.max() <= 1


def test_a_patch_lies_in_the_image() -> None:
    image, mask = drawn((3, 60, 90)), labels((60, 90))
    for seed in range(20):
        views = PairedGeometry(32, UNCHANGED)(image, None, mask, rng(seed))
        assert views.inside.all()
    places = {
        PairedGeometry(32, UNCHANGED)(image, None, mask, rng(seed)).image[0, 5, 5] for seed in range(20)
    }
    assert len(places) > 15


@pytest.mark.parametrize(("shape", "shift"), [((150, 90), 0.0), ((150, 90), 1.0), ((20, 30), 1.0)])
def test_what_is_not_read_makes_no_difference(
    shape: tuple[int, int], shift: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    image, mask = drawn((2, *shape)), labels(shape)
    geometry = PairedGeometry(32, GeometryConfig(0.5, 0.5, (-180, 180), (0.5, 2.0), (-shift, shift)))

    def made() -> list[Views]:
        return [geometry(image, image, mask, rng(seed), mask == 2) for seed in range(40)]

    parts = made()
    monkeypatch.setattr(geometry, "_read", lambda shape, places: (np.s_[:, :], places))
    for part, whole in zip(parts, made(), strict=True):
        both = part.inside & whole.inside
        np.testing.assert_allclose(part.image[:, both], whole.image[:, both], atol=1e-4)
        for name in ("inside", "mask", "ignore"):
            assert (getattr(part, name) != getattr(whole, name)).sum() <= 2


def test_a_patch_reads_a_part_of_its_image() -> None:
    geometry = PairedGeometry(32, UNCHANGED)
    rows, columns = geometry._read((500, 400), np.array([[1, 0, 100.4], [0, 1, 380]]))[0]
    assert (columns.start, columns.stop) == (99, 134)
    assert (rows.start, rows.stop) == (379, 414)


def test_a_patch_longer_than_one_axis_is_padded_there() -> None:
    image, mask = drawn((3, 20, 90)), labels((20, 90))
    views = PairedGeometry(32, UNCHANGED)(image, None, mask, rng())
    assert views.inside[:20].all()
    assert not views.inside[20:].any()


def test_patches_meet_the_foreground_as_often_as_asked() -> None:
    mask = np.zeros((200, 200), np.uint8)
    mask[150:153, 20:23] = 2
    image = drawn((1, 200, 200))
    share = {}
    for probability in (0.0, 0.5, 1.0):
        config = dataclasses.replace(UNCHANGED, foreground=probability)
        hits = [PairedGeometry(32, config)(image, None, mask, rng(seed)).mask.any() for seed in range(200)]
        share[probability] = np.mean(hits)
    assert share[1.0] == 1
    assert share[0.0] < 0.15
    assert 0.4 < share[0.5] < 0.68


def test_a_case_without_foreground_gives_patches() -> None:
    views = PairedGeometry(16)(drawn((1, 40, 40)), None, np.zeros((40, 40), np.uint8), rng())
    assert not views.mask.any()


def test_photometric_is_the_formula_pixel_by_pixel() -> None:
    image = drawn((3, 5, 7))
    inside = np.ones((5, 7), bool)
    inside[:, 5:] = False
    image *= inside
    config = PhotometricConfig((0.05, 0.05), (1.2, 1.2), (0.8, 0.8), (0.7, 0.7), (25, 25))
    changed = photometric(image, rng(), config, inside)
    mean = image[:, inside].mean()
    axis = np.ones(3) / math.sqrt(3)
    angle = math.radians(25)
    for row in range(5):
        for column in range(7):
            if not inside[row, column]:
                assert (changed[:, row, column] == 0).all()
                continue
            pixel = image[:, row, column].astype(float)
            along = axis * (axis @ pixel)
            # Rodrigues: what is across the grey axis turns by the hue and shrinks by the saturation.
            across = pixel - along
            turned = across * math.cos(angle) + np.cross(axis, across) * math.sin(angle)
            colour = along + 0.7 * turned
            expected = np.clip(1.2 * (colour - mean) + mean + 0.05, 0, 1) ** 0.8
            np.testing.assert_allclose(changed[:, row, column], expected, atol=1e-5)


def test_hue_of_a_third_turn_moves_the_channels_on() -> None:
    image = drawn((3, 4, 4))
    config = dataclasses.replace(STILL, hue_degrees=(120, 120))
    np.testing.assert_allclose(photometric(image, rng(), config), image[[2, 0, 1]], atol=1e-5)


def test_no_saturation_is_grey() -> None:
    image = drawn((3, 4, 4))
    grey = photometric(image, rng(), dataclasses.replace(STILL, saturation=(0, 0)))
    np.testing.assert_allclose(grey, np.broadcast_to(image.mean(axis=0), image.shape), atol=1e-6)


def test_photometric_leaves_its_input_alone() -> None:
    image = drawn((3, 8, 8))
    before = image.copy()
    photometric(image, rng(), PhotometricConfig())
    np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(PhotometricConfig)])
def test_every_photometric_option_is_read(field: str) -> None:
    image = drawn((3, 8, 8))
    value = {"hue_degrees": (30, 30), "brightness": (0.2, 0.2)}.get(field, (0.5, 0.5))
    changed = photometric(image, rng(), dataclasses.replace(STILL, **{field: value}))
    assert np.abs(changed - image).max() > 0.02


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(GeometryConfig)])
def test_every_geometric_option_is_read(field: str) -> None:
    image, mask = drawn((1, 40, 40)), np.zeros((40, 40), np.uint8)
    mask[:4, :4] = 1
    value = {"rotation_degrees": (30, 30), "scale": (1.2, 1.2), "shift": (0.2, 0.2)}.get(field, 1.0)
    changed = dataclasses.replace(UNCHANGED, **{field: value})
    side = 16 if field == "foreground" else 40
    before, after = (
        PairedGeometry(side, config)(image, None, mask, rng(5)).image for config in (UNCHANGED, changed)
    )
    assert np.abs(before - after).max() > 0.02


def test_images_of_two_grids_are_refused() -> None:
    geometry = PairedGeometry(32)
    with pytest.raises(ShapeError, match=r"image of shape \(3, 24, 30\) and a mask of shape \(24, 31\)"):
        geometry(drawn((3, 24, 30)), None, labels((24, 31)), rng())
    with pytest.raises(ShapeError, match=r"one shape, got \(3, 24, 30\) and \(1, 24, 30\)"):
        geometry(drawn((3, 24, 30)), drawn((1, 24, 30)), labels((24, 30)), rng())


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: GeometryConfig(scale=(1.2, 0.8)), r"GeometryConfig.scale must be two numbers in order"),
        (lambda: GeometryConfig(flip_vertical=1.5), r"GeometryConfig.flip_vertical .* within \[0, 1\]"),
        (lambda: PhotometricConfig(gamma=(0.0, 1.0)), r"PhotometricConfig.gamma .* got \(0.0, 1.0\)"),
        (lambda: PairedGeometry(0), r"side must be at least 1 px, got 0"),
    ],
)
def test_options_that_cannot_be_used_are_named(build, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build()
