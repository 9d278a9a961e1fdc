from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from s2s2.data import Dataset
from s2s2.errors import ConfigError
from s2s2.generators import Composite, CompositeConfig
from tests.generators.made import drawn, split_of


def fitted(dataset: Dataset, **options: object) -> Composite:
    return Composite(CompositeConfig(**options)).fit(dataset, split_of(dataset))  # type: ignore[arg-type]


def test_inside_the_mask_is_the_case_and_outside_another(tmp_path: Path) -> None:
    dataset = drawn(tmp_path)
    generator = fitted(dataset, colour=(0, 0))
    for case in dataset.cases[:4]:
        foreground = dataset.mask(case) > 0
        core, far = (
            ndimage.binary_erosion(foreground, iterations=2),
            ~ndimage.binary_dilation(foreground, iterations=6),
        )
        image = dataset.image(case)
        for copy in generator.sample(case, 3, 0):
            inside = np.corrcoef(copy[:, core].ravel(), image[:, core].ravel())[0, 1]
            outside = np.corrcoef(copy[:, far].ravel(), image[:, far].ravel())[0, 1]
            assert inside > 0.9
            assert outside < 0.9
            assert np.abs(copy[:, far] - image[:, far]).mean() > 0.02


def test_all_of_the_case_kept_leaves_the_mask_as_it_is(tmp_path: Path) -> None:
    dataset = drawn(tmp_path)
    case = dataset.cases[0]
    thick = ndimage.binary_erosion(dataset.mask(case) > 0, iterations=3)
    copy = fitted(dataset, keep=1.0, colour=(0, 0)).sample(case, 1, 0)[0]
    assert np.abs(copy[:, thick] - dataset.image(case)[:, thick]).max() < 0.06


def test_colours_move_to_those_of_the_ground(tmp_path: Path) -> None:
    dataset = drawn(tmp_path)
    case = dataset.cases[0]
    core = ndimage.binary_erosion(dataset.mask(case) > 0, iterations=2)
    still, moved = (fitted(dataset, colour=(amount, amount)).sample(case, 8, 0) for amount in (0, 1))
    ground = still[:, :, ~(dataset.mask(case) > 0)].mean(axis=(1, 2))
    change = (moved - still)[:, :, core].mean(axis=(1, 2))
    assert np.abs(change).max() > 0.02
    assert np.corrcoef(ground, change)[0, 1] > 0.5  # a brighter ground makes it brighter


def test_the_donor_is_of_another_group(tmp_path: Path) -> None:
    dataset = drawn(tmp_path)
    generator = fitted(dataset)
    read: list[str] = []
    image = generator._donors.image  # type: ignore[union-attr]
    generator._donors.image = lambda case: (read.append(case.id), image(case))[1]  # type: ignore[union-attr,method-assign]
    case = dataset.cases[0]
    generator.sample(case, 12, 0)
    donors = {name for name in read if name != case.id}
    assert len(donors) > 2
    assert "case_1" not in donors  # the other frame of its group


def test_a_blank_case_gets_surroundings_without_foreground(tmp_path: Path) -> None:
    dataset = drawn(tmp_path)
    blank = dataset.cases[-1]
    assert not dataset.mask(blank).any()
    copies = fitted(dataset).sample(blank, 6, 0)
    # A drawn ellipse is at 0.6 to 0.9, its ground at 0.35: smoothed, no ellipse may be left.
    assert ndimage.uniform_filter(copies.mean(axis=1), (0, 7, 7)).max() < 0.56


def test_a_case_that_is_all_foreground_stays_itself(tmp_path: Path) -> None:
    path = drawn(tmp_path).case("case_0").mask_path
    assert path is not None
    Image.fromarray(np.ones((40, 56), np.uint8)).save(path)
    dataset = Dataset.open(tmp_path, size=48)
    case = dataset.case("case_0")
    copies = fitted(dataset).sample(case, 2, 0)
    np.testing.assert_allclose(copies[1], dataset.image(case), atol=0.05)


def test_copies_differ(tmp_path: Path) -> None:
    dataset = drawn(tmp_path)
    copies = fitted(dataset).sample(dataset.cases[0], 8, 0)
    assert len({copy.tobytes() for copy in copies}) == 8


def test_without_turning_a_donor_keeps_upright(tmp_path: Path) -> None:
    dataset = drawn(tmp_path)
    generator = fitted(dataset, turn=False, donors=1, noise=0.0)
    assert generator.sample(dataset.cases[0], 1, 0).shape == (1, *dataset.image(dataset.cases[0]).shape)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"donors": 0}, "donors must be 1 or more, got 0"),
        ({"scale": (0.0, 1.0)}, "scale must be a range above 0, got"),
        ({"colour": (0.3, 1.5)}, "colour must be a range within 0 to 1, got"),
        ({"keep": 1.1}, "keep must lie in 0 to 1, got 1.1"),
        ({"noise": -1.0}, "noise and margin must be 0 or more"),
    ],
)
def test_bad_options_are_named(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        CompositeConfig(**options)  # type: ignore[arg-type]
