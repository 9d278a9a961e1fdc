from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from s2s2.data import Dataset, Split
from s2s2.errors import ConfigError
from s2s2.generators import Appearance, AppearanceConfig, Chain, Composite
from s2s2.generators.training_free import appearance
from s2s2.generators.training_free.pyramid import collapse, gaussian, laplacian, levels_for
from s2s2.generators.training_free.regions import Labelled
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


def chained(**options: Any) -> Chain:
    return Chain([Composite(), Appearance(AppearanceConfig(**options))])


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


def test_a_case_is_taken_apart_once_for_all_its_copies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = {"images": 0, "masks": 0}
    whole, measured = appearance.dissect, Labelled.of

    def count(what: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*given: Any, **options: Any) -> Any:
            counts[what] += 1
            return call(*given, **options)

        return counted

    monkeypatch.setattr(appearance, "dissect", count("images", whole))
    monkeypatch.setattr(Labelled, "of", count("masks", measured))
    dataset = drawn(tmp_path)
    generator = Appearance().fit(dataset, split_of(dataset))
    number = len(split_of(dataset).train)
    assert counts == {"images": number, "masks": number}
    for name in split_of(dataset).train:
        generator.sample(dataset.case(name), 8, 0)
        generator.sample(dataset.case(name), 1, 0, start=8)
    assert counts == {"images": number, "masks": number}
    # Copies of another generator are all different; what their one mask says is still known.
    chain = Chain([Composite(), generator]).fit(dataset, split_of(dataset))
    counts.update(images=0, masks=0)
    chain.sample(dataset.case(split_of(dataset).train[0]), 8, 0)
    assert counts == {"images": 8, "masks": 0}


def test_what_is_kept_changes_no_byte(tmp_path: Path) -> None:
    dataset = drawn(tmp_path, classes=3)
    split = split_of(dataset)
    for build in (lambda **options: Appearance(AppearanceConfig(**options)), chained):
        kept, forgetful = (build(cache_mb=megabytes).fit(dataset, split) for megabytes in (128, 0))
        for name in split.train:
            case = dataset.case(name)
            again = pickle.loads(pickle.dumps(kept)).sample(case, 3, 0)
            np.testing.assert_array_equal(kept.sample(case, 3, 0), forgetful.sample(case, 3, 0))
            np.testing.assert_array_equal(kept.sample(case, 3, 0), again)


def test_another_mask_of_a_case_is_measured_anew(tmp_path: Path) -> None:
    dataset = drawn(tmp_path)
    case, generator = dataset.cases[2], Appearance().fit(dataset, split_of(dataset))
    fresh = Appearance().fit(dataset, split_of(dataset))
    image, mask = dataset.image(case), dataset.mask(case)
    generator.restyle(image, mask, np.random.default_rng(0), case)
    turned = [each.restyle(image, mask[::-1], np.random.default_rng(0), case) for each in (generator, fresh)]
    np.testing.assert_array_equal(*turned)


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
