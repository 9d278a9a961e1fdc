from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from s2s2.data import Dataset, Split
from s2s2.errors import ConfigError
from s2s2.generators import Appearance, AppearanceConfig
from s2s2.generators.training_free.pyramid import collapse, gaussian, laplacian, levels_for
from tests.generators.made import drawn, split_of


def blank_pair(tmp_path: Path) -> tuple[Dataset, Split]:
    """Two cases of two groups without a foreground: one region, one donor."""
    dataset = drawn(tmp_path, cases=8, classes=2)
    for case in dataset.cases:
        assert case.mask_path is not None
    for name in ("case_0", "case_7"):
        path = dataset.case(name).mask_path
        assert path is not None
        Image.fromarray(np.zeros((40, 56), np.uint8)).save(path)
    return Dataset.open(tmp_path, size=48), Split(train=("case_0", "case_7"), validation=(), test=())


def test_a_copy_is_what_the_formula_gives(tmp_path: Path) -> None:
    dataset, split = blank_pair(tmp_path)
    generator = Appearance(AppearanceConfig(strength=(1, 1), tissues=1, ratio=(0.01, 100)))
    copy = generator.fit(dataset, split).sample(dataset.case("case_0"), 1, 0)[0]
    levels = levels_for(48, coarsest=8)
    own, donor = (laplacian(gaussian(dataset.image(dataset.case(name)), levels)) for name in split.train)
    floor = 1e-3 * generator._range
    bands = []
    for band, other in zip(own, donor, strict=True):
        ratio = np.array([(o.std() + floor) / (b.std() + floor) for b, o in zip(band, other, strict=True)])
        ratio = np.sqrt(ratio * np.prod(ratio) ** (1 / 3))
        means = band.mean(axis=(1, 2)), other.mean(axis=(1, 2))
        bands.append((band - means[0][:, None, None]) * ratio[:, None, None] + means[1][:, None, None])
    expected = np.clip(collapse([band.astype(np.float32) for band in bands]), 0, 1)
    np.testing.assert_allclose(copy, expected, atol=2e-3)


def test_without_strength_a_copy_is_the_image(tmp_path: Path) -> None:
    dataset = drawn(tmp_path, classes=3)
    generator = Appearance(AppearanceConfig(strength=(0, 0))).fit(dataset, split_of(dataset))
    for case in dataset.cases:
        np.testing.assert_allclose(generator.sample(case, 1, 0)[0], dataset.image(case), atol=1e-5)


def test_colours_move_towards_the_donor(tmp_path: Path) -> None:
    dataset, split = blank_pair(tmp_path)
    generator = Appearance(AppearanceConfig(strength=(1, 1))).fit(dataset, split)
    copy = generator.sample(dataset.case("case_0"), 1, 0)[0]
    own, donor = (dataset.image(dataset.case(name)).mean(axis=(1, 2)) for name in split.train)
    assert np.abs(own - donor).max() > 0.05
    np.testing.assert_allclose(copy.mean(axis=(1, 2)), donor, atol=0.02)


def test_edges_stay_where_they_are(tmp_path: Path) -> None:
    dataset = drawn(tmp_path)
    generator = Appearance().fit(dataset, split_of(dataset))
    case = dataset.cases[2]
    foreground = dataset.mask(case) > 0
    for copy in generator.sample(case, 4, 0):
        grey = copy.mean(axis=0)
        assert grey[foreground].mean() > grey[~foreground].mean() + 0.1


def test_a_class_that_no_donor_shows_moves_with_the_image(tmp_path: Path) -> None:
    dataset = drawn(tmp_path, classes=3)  # class 2 is in case_0 alone
    generator = Appearance(AppearanceConfig(strength=(1, 1))).fit(dataset, split_of(dataset))
    case = dataset.case("case_0")
    assert 2 in dataset.mask(case)
    styles = generator._styles
    gain, mean = generator._aim(styles[0], styles[5], np.random.default_rng(0))
    np.testing.assert_allclose(
        mean[:, 1] - styles[0].mean[:, 1], mean[:, -1] - styles[0].mean[:, -1], atol=1e-6
    )
    np.testing.assert_array_equal(gain[:, 1], gain[:, -1])
    assert np.isfinite(generator.sample(case, 2, 0)).all()


def test_a_class_that_the_donor_lacks_is_borrowed(tmp_path: Path) -> None:
    dataset = drawn(tmp_path)
    generator = Appearance().fit(dataset, split_of(dataset))
    own = generator._dissect(dataset.image(dataset.cases[0]), dataset.mask(dataset.cases[0]), 2)
    for seed in range(12):  # among them draws of the blank case
        assert generator._borrow(own, np.random.default_rng(seed), "group_0").present[0]


def test_extrapolation_goes_beyond(tmp_path: Path) -> None:
    dataset = drawn(tmp_path)
    split = split_of(dataset)
    means = np.array([dataset.image(case).mean(axis=(1, 2)) for case in dataset.cases])
    near, far = (
        np.concatenate([generator.sample(case, 6, 0).mean(axis=(2, 3)) for case in dataset.cases])
        for generator in (
            Appearance(AppearanceConfig(extrapolate=amount)).fit(dataset, split) for amount in (0.0, 1.0)
        )
    )
    assert far.std(axis=0).mean() > 1.3 * near.std(axis=0).mean()
    assert (far < means.min(axis=0) - 0.05).any() or (far > means.max(axis=0) + 0.05).any()


def test_the_dark_surround_stays(tmp_path: Path) -> None:
    dataset = drawn(tmp_path)
    generator = Appearance(AppearanceConfig(extrapolate=1.0)).fit(dataset, split_of(dataset))
    case = dataset.cases[2]
    image = dataset.image(case)
    image[:, :, :10] = 0
    copy = generator.restyle(image, dataset.mask(case), np.random.default_rng(0), case)
    np.testing.assert_allclose(copy[:, :, :8], 0, atol=0.02)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ratio": (1.2, 3.0)}, "ratio must be a range round 1 above 0, got"),
        ({"strength": (0.5, 0.2)}, "strength must be a range from 0 on, got"),
        ({"extrapolate": -0.1}, "extrapolate must lie in 0 to 2, got -0.1"),
        ({"tissues": 0}, "tissues and coarsest must be 1 or more, got 0 and 8"),
    ],
)
def test_bad_options_are_named(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        AppearanceConfig(**options)  # type: ignore[arg-type]
