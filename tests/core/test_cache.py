from __future__ import annotations

import pickle

import numpy as np

from s2s2.core.cache import ArrayCache


def test_arrays_are_made_once_until_the_budget_is_spent() -> None:
    cache = ArrayCache(1)
    made: list[str] = []

    def get(name: str, size: int) -> None:
        cache.get(("image", name), lambda: made.append(name) or np.zeros(size, np.uint8))  # type: ignore[func-returns-value, arg-type]

    for name, size in (("a", 600_000), ("b", 600_000), ("c", 300_000)):
        get(name, size)
        get(name, size)
    assert made == ["a", "b", "b", "c"]
    assert len(cache) == 2


def test_a_pickled_cache_is_empty() -> None:
    cache = ArrayCache(2)
    cache.get(("image", "a"), lambda: np.zeros(9))
    again = pickle.loads(pickle.dumps(cache))
    assert (len(again), again.megabytes) == (0, 2)
