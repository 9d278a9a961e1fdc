from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from s2s2.data import ClassMap
from s2s2.errors import ConfigError
from s2s2.evaluation.components import class_ids, keep_largest


def by_hand(labels: np.ndarray, class_id: int) -> np.ndarray:
    """Flood every region of a class from its first pixel, and keep the largest."""
    left = {tuple(place) for place in np.argwhere(labels == class_id)}
    regions = []
    for place in sorted(left):
        if place not in left:
            continue
        left.discard(place)
        region, border = [place], [place]
        while border:
            here = border.pop()
            for axis, step in product(range(labels.ndim), (-1, 1)):
                there = (*here[:axis], here[axis] + step, *here[axis + 1 :])
                if there in left:
                    left.discard(there)
                    region.append(there)
                    border.append(there)
        regions.append(region)
    result = labels.copy()
    for region in sorted(regions, key=len, reverse=True)[1:]:
        for place in region:
            result[place] = 0
    return result


@pytest.mark.parametrize("shape", [(14, 17), (6, 9, 8)])
def test_the_largest_region_is_that_of_a_flood(shape: tuple[int, ...]) -> None:
    for seed in range(5):
        labels = (np.random.default_rng(seed).random(shape) * 2.2).astype(np.uint8)
        expected = by_hand(by_hand(labels, 1), 2)
        np.testing.assert_array_equal(keep_largest(labels, (1, 2)), expected)
        np.testing.assert_array_equal(keep_largest(labels, ()), labels)


def test_classes_are_known_by_name() -> None:
    classes = ClassMap(("background", "liver", "spleen"), ((0,), (1,), (2,)))
    assert class_ids(["spleen"], classes) == (2,)
    for name in ("background", "kidney"):
        with pytest.raises(ConfigError, match=f"no class '{name}' whose largest region .* liver, spleen"):
            class_ids([name], classes)
