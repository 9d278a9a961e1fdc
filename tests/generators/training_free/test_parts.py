from __future__ import annotations

import numpy as np
import pytest

from s2s2.generators.training_free.fill import dilate
from s2s2.generators.training_free.parts import Plate, Subject, clearing, outline


def disc(
    radius: float = 12, centre: tuple[float, float] = (32, 40), shape: tuple[int, int] = (64, 80)
) -> np.ndarray:
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    return np.hypot(rows - centre[0], columns - centre[1]) < radius


def thread(shape: tuple[int, int] = (64, 80)) -> np.ndarray:
    region = np.zeros(shape, bool)
    region[::8, 4:-4] = True
    return region


def textured(foreground: np.ndarray) -> np.ndarray:
    rng = np.random.default_rng(0)
    image = 0.4 + 0.02 * rng.standard_normal((3, *foreground.shape))
    image[:, foreground] = np.array([0.9, 0.1, 0.9])[:, None]
    return np.clip(image, 0, 1).astype(np.float32)


def test_a_plate_shows_nothing_of_the_foreground() -> None:
    foreground = disc()
    image = textured(foreground)
    plate = Plate.of(image, foreground, 3.0)
    assert np.abs(plate.image - 0.4).max() < 0.15
    assert plate.outside is None
    hole = clearing(foreground, 3.0)
    np.testing.assert_array_equal(plate.image[:, ~hole], image[:, ~hole])
    inside, outside = plate.image[:, disc(8)].std(), plate.image[:, ~hole].std()
    assert inside == pytest.approx(outside, rel=0.5)  # not smoother than its surroundings


def test_a_plate_keeps_the_dark_surround_and_fills_from_tissue() -> None:
    foreground = disc()
    image = textured(foreground)
    image[:, :, 48:] = 0.0  # the disc reaches up to the dark
    foreground &= np.arange(80) < 48
    plate = Plate.of(image, foreground, 3.0)
    np.testing.assert_array_equal(plate.image[:, :, 48:], 0)
    assert plate.image[:, :, :47].min() > 0.25
    np.testing.assert_allclose(plate.outside, 0)


def test_a_plate_without_foreground_is_the_donor() -> None:
    image = textured(np.zeros((64, 80), bool))
    np.testing.assert_array_equal(Plate.of(image, np.zeros((64, 80), bool), 3.0).image, image)


def test_the_margin_of_thin_structures_is_thin() -> None:
    np.testing.assert_array_equal(clearing(disc(), 3.0), dilate(disc(), 3 * 80 / 128))
    assert clearing(thread(), 6.0).mean() < 0.6
    assert dilate(thread(), 6 * 80 / 128).mean() > 0.85


@pytest.mark.parametrize("everything", [True, False])
def test_clearing_of_all_and_of_nothing(everything: bool) -> None:
    region = np.full((8, 8), everything)
    np.testing.assert_array_equal(clearing(region, 3.0), region)


def test_a_subject_is_prepared() -> None:
    foreground = disc()
    subject = Subject.of(textured(foreground), foreground, coarsest=8, margin=3.0)
    assert subject.weights[0][0][foreground].min() == 1
    assert subject.weights[0][0][~dilate(foreground, 4)].max() == 0
    assert subject.thin[disc(6)].max() < 0.05
    assert subject.ring_mean == pytest.approx([0.4] * 3, abs=0.03)
    np.testing.assert_allclose(subject.contrast[:, disc(8)].mean(axis=1), [0.5, -0.3, 0.5], atol=0.03)
    assert not foreground.ravel()[subject.ring].any()
    inside = subject.points[subject.zone == 0].astype(int)
    assert foreground[inside[:, 0], inside[:, 1]].all()


def test_threads_are_thin() -> None:
    subject = Subject.of(textured(thread()), thread(), coarsest=8, margin=3.0)
    assert subject.thin[thread()].mean() > 0.6


def test_an_outline_knows_the_hole_and_the_dark() -> None:
    image = textured(disc())
    image[:, :, :16] = 0
    found = outline(image, disc(), 3.0)
    assert found.centre == pytest.approx((32, 40), abs=0.1)
    assert sorted(set(found.ground.ravel().tolist())) == [0, 1, 2]
