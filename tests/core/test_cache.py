from __future__ import annotations

import pickle

import numpy as np

from s2s2.core.cache import Cache


def asked(cache: Cache[np.ndarray], sizes: dict[str, int], names: str) -> str:
    """Ask for values of these names; return the names of those that had to be made."""
    made: list[str] = []

    def make(name: str) -> np.ndarray:
        made.append(name)
        return np.zeros(sizes[name], np.uint8)

    for name in names:
        assert cache.get(name, lambda name=name: make(name)).nbytes == sizes[name]  # type: ignore[misc]
    return "".join(made)


def test_the_first_values_are_kept_until_the_budget_is_spent() -> None:
    cache: Cache[np.ndarray] = Cache(1)
    assert asked(cache, {"a": 600_000, "b": 600_000, "c": 300_000}, "aabbcc") == "abbc"
    assert len(cache) == 2


def test_new_values_replace_those_unused_for_longest() -> None:
    cache: Cache[np.ndarray] = Cache(1, renewed=True)
    sizes = {"a": 400_000, "b": 400_000, "c": 400_000, "d": 2_000_000}
    assert asked(cache, sizes, "abac") == "abc"
    assert asked(cache, sizes, "acb") == "b"
    assert asked(cache, sizes, "dd") == "d"
    assert len(cache) == 1
    assert asked(cache, sizes, "a") == "a"


def test_a_pickled_cache_is_empty() -> None:
    cache: Cache[np.ndarray] = Cache(2, renewed=True)
    cache.get(("image", "a"), lambda: np.zeros(9))
    again = pickle.loads(pickle.dumps(cache))
    assert (len(again), again.megabytes, again.renewed) == (0, 2, True)
    assert again.get("a", lambda: np.zeros(9)) is again.get("a", lambda: np.ones(9))
