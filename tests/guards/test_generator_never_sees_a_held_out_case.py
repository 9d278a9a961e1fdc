"""A generator reads training cases alone, and no donor is of the case's own group."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from s2s2.data import Case, Dataset
from s2s2.errors import SplitError
from s2s2.generators import build_generator
from tests.generators.made import SPECS, drawn, split_of


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Ids of all cases whose image or mask is read."""
    seen: list[str] = []
    for name in ("image", "mask", "original_mask"):
        method = getattr(Dataset, name)

        def spy(self: Dataset, case: Case, method=method) -> np.ndarray:
            seen.append(case.id)
            return method(self, case)

        monkeypatch.setattr(Dataset, name, spy)
    return seen


@pytest.mark.parametrize("spec", SPECS)
def test_generator_never_sees_a_held_out_case(spec: str, read: list[str], tmp_path: Path) -> None:
    dataset = drawn(tmp_path, cases=10)
    split = split_of(dataset, held_out=4)
    generator = build_generator(spec).fit(dataset, split)
    for case_id in split.train:
        generator.sample(dataset.case(case_id), 3, 0)
    assert set(read) <= set(split.train)
    assert set(generator.case_ids) == set(split.train)
    for case_id in (*split.validation, *split.test):
        with pytest.raises(SplitError, match="Copies are made of training cases alone"):
            generator.sample(dataset.case(case_id), 1, 0)
    assert set(read) <= set(split.train)


@pytest.mark.parametrize("spec", SPECS)
def test_held_out_pixels_change_no_copy(spec: str, tmp_path: Path) -> None:
    dataset = drawn(tmp_path, cases=10)
    split = split_of(dataset, held_out=4)
    case = dataset.case(split.train[0])
    before = build_generator(spec).fit(dataset, split).sample(case, 3, 0)
    for case_id in (*split.validation, *split.test):
        dataset.case(case_id).image_path.unlink()
    after = build_generator(spec).fit(dataset.resized(dataset.size), split).sample(case, 3, 0)
    np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("spec", ["composite", "appearance", "composite+appearance"])
def test_no_donor_is_of_the_own_group(spec: str, tmp_path: Path) -> None:
    """Whatever the other frame of its group shows, the copies of a case stay the same."""
    dataset = drawn(tmp_path)
    split = split_of(dataset)
    case, brother = dataset.cases[2], dataset.cases[3]
    assert case.group == brother.group
    before = build_generator(spec).fit(dataset, split).sample(case, 6, 0)
    pixels = np.asarray(Image.open(brother.image_path)).copy()
    pixels[:4, :4] = 255 - pixels[:4, :4]  # another look, the same range and the same mean, nearly
    Image.fromarray(pixels).save(brother.image_path)
    after = build_generator(spec).fit(Dataset.open(tmp_path, size=48), split).sample(case, 6, 0)
    # Only the spread of all training cases, in which a shift of brightness is measured, moves by a trace.
    np.testing.assert_allclose(before, after, atol=5e-4)
