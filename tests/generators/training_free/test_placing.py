from __future__ import annotations

import numpy as np
import pytest

from s2s2.generators.training_free.placing import DARK, FREE, HOLE, ORIENTATIONS, Outline, Placing, choose


def blob(shape: tuple[int, int], centre: tuple[float, float], radius: float) -> np.ndarray:
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    return np.hypot(rows - centre[0], columns - centre[1]) <= radius


def outline(shape: tuple[int, int], centre: tuple[float, float], radius: float) -> Outline:
    region = blob(shape, centre, radius)
    return Outline.of(region, region, np.zeros(shape, bool))


def test_there_are_eight_orientations() -> None:
    assert len({tuple(turn.ravel()) for turn in ORIENTATIONS}) == 8
    for turn in ORIENTATIONS:
        np.testing.assert_array_equal(turn @ turn.T, np.eye(2))
    np.testing.assert_array_equal(ORIENTATIONS[0], np.eye(2))


@pytest.mark.parametrize("turn", range(8))
def test_warp_takes_each_point_where_the_similarity_says(turn: int) -> None:
    rows, columns = np.mgrid[:60, :50].astype(np.float32)
    plate = np.stack([rows, columns])  # cubic interpolation keeps a plane as it is
    placing = Placing(0, ORIENTATIONS[turn], 1.2, (28.5, 24.0), (15.0, 20.0))
    ground = placing.warp(plate, (30, 40))
    for point in ((15, 20), (5, 8), (29, 0), (11, 39)):
        source = np.array(placing.source)
        source = source + ORIENTATIONS[turn].T @ (np.array(point) - placing.target) / 1.2
        np.testing.assert_allclose(ground[:, point[0], point[1]], source, atol=1e-3)


def test_the_identity_returns_the_plate() -> None:
    plate = np.random.default_rng(0).random((3, 12, 9), np.float32)
    placing = Placing(0, ORIENTATIONS[0], 1.0, (4.0, 4.0), (4.0, 4.0))
    np.testing.assert_allclose(placing.warp(plate, (12, 9)), plate, atol=1e-6)


def test_beyond_a_donor_its_surround_goes_on_or_it_is_mirrored() -> None:
    plate = np.arange(1, 9, dtype=np.float32).reshape(1, 1, 8).repeat(8, axis=1)
    placing = Placing(0, ORIENTATIONS[0], 1.0, (0.0, 0.0), (0.0, 3.0))
    assert placing.warp(plate, (8, 6))[0, 0].tolist() == pytest.approx([3, 2, 1, 1, 2, 3])
    framed = placing.warp(plate, (8, 6), np.zeros(1, np.float32))
    assert framed[0, 0].tolist() == pytest.approx([0, 0, 0, 1, 2, 3])


def test_an_outline_is_measured() -> None:
    hidden = np.zeros((48, 48), bool)
    hidden[:, :4] = True
    region = blob((48, 48), (20, 30), 8)
    found = Outline.of(region, blob((48, 48), (20, 30), 10), hidden)
    assert found.centre == pytest.approx((20, 30))
    assert found.radius == pytest.approx(8 / np.sqrt(2), rel=0.05)  # of a disc
    assert found.area == region.sum()
    assert found.ground[0, 0] == DARK
    assert found.ground[10, 15] == HOLE
    assert found.ground[23, 23] == FREE
    assert Outline.of(np.zeros((4, 6), bool), np.zeros((4, 6), bool), np.zeros((4, 6), bool)).centre == (
        1.5,
        2.5,
    )


def chosen(
    case: Outline, donors: list[Outline], positions: list[int], noise: float = 0.0, seed: int = 0
) -> Placing:
    rows, columns = np.mgrid[2 : case.shape[0] : 4, 2 : case.shape[1] : 4]
    points = np.stack([rows.ravel(), columns.ravel()], axis=1).astype(float)
    return choose(
        case,
        donors,
        np.array(positions),
        points,
        np.full(len(points), 2),
        turns=ORIENTATIONS,
        scales=(0.8, 1.25),
        noise=noise,
        rng=np.random.default_rng(seed),
    )


def test_the_donor_that_lies_and_measures_alike_is_chosen() -> None:
    shape = (64, 64)
    case = outline(shape, (20, 24), 8)
    donors = [outline(shape, (40, 50), 8), outline(shape, (20, 24), 20), outline(shape, (20, 24), 8)]
    placing = chosen(case, donors, [0, 1, 2])
    assert (placing.donor, placing.scale) == (2, pytest.approx(1))
    assert chosen(case, donors, [0, 1]).donor in (0, 1)


def test_a_donor_that_fits_when_turned_is_turned() -> None:
    case = outline((64, 64), (16, 40), 8)
    placing = chosen(case, [outline((64, 64), (47, 23), 8)], [0])  # upside down
    np.testing.assert_array_equal(placing.turn, -np.eye(2))


def test_scale_stays_in_its_range() -> None:
    placing = chosen(outline((64, 64), (32, 32), 20), [outline((64, 64), (32, 32), 4)], [0])
    assert placing.scale == 1.25


def test_a_mask_is_not_laid_into_the_dark() -> None:
    shape = (64, 64)
    case = outline(shape, (12, 32), 6)
    region, dark = blob(shape, (14, 32), 6), np.zeros(shape, bool)
    dark[:30] = True
    framed = Outline.of(region, region, dark & ~region)
    fair = outline(shape, (20, 40), 8)
    placing = choose(
        case,
        [framed, fair],
        np.array([0, 1]),
        np.argwhere(blob(shape, (12, 32), 9)).astype(float),
        np.zeros(int(blob(shape, (12, 32), 9).sum()), int),
        turns=ORIENTATIONS[:1],
        scales=(0.8, 1.25),
        noise=0.0,
        rng=np.random.default_rng(0),
    )
    assert placing.donor == 1


def test_noise_makes_choices_differ() -> None:
    shape = (64, 64)
    donors = [outline(shape, (30 + i, 30), 8) for i in range(6)]
    case = outline(shape, (30, 30), 8)
    assert len({chosen(case, donors, list(range(6)), 0.5, seed).donor for seed in range(20)}) > 2
    assert {chosen(case, donors, list(range(6)), 0.0, seed).donor for seed in range(5)} == {0}
