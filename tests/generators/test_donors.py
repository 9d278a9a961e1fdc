from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from s2s2.data import Split
from s2s2.errors import SplitError
from s2s2.generators.donors import Cache, Donors
from tests.generators.made import drawn, split_of


def test_donors_are_of_another_group(tmp_path: Path) -> None:
    donors = Donors(drawn(tmp_path), split_of(drawn(tmp_path)))
    for case in donors.cases:
        others = [donors.cases[i] for i in donors.others(case.group)]
        assert len(others) == 6
        assert case.group not in {other.group for other in others}


def test_one_group_is_refused(tmp_path: Path) -> None:
    dataset = drawn(tmp_path)
    with pytest.raises(SplitError, match=r"cases of two groups or more, got 2 of 'group_1'\. .*more groups"):
        Donors(dataset, Split(train=dataset.ids[2:4], validation=(), test=()))
    with pytest.raises(SplitError, match="got 0 of none"):
        Donors(dataset, Split(train=(), validation=(), test=()))


def test_other_cases_are_refused(tmp_path: Path) -> None:
    dataset = drawn(tmp_path)
    split = split_of(dataset, held_out=2)
    donors = Donors(dataset, split)
    held_out = dataset.case(split.test[0])
    for read in (donors.image, donors.mask, donors.require):
        with pytest.raises(SplitError, match=f"got '{held_out.id}', which is not among the 6 cases"):
            read(held_out)


def test_the_cache_keeps_to_its_budget() -> None:
    cache: Cache[np.ndarray] = Cache(megabytes=2)
    made = []

    def value(name: str) -> np.ndarray:
        made.append(name)
        return np.zeros(2**20, np.uint8)

    for name in ("a", "b", "a", "c", "a", "b"):  # c pushes b out, which was used last before a
        cache.get(name, lambda name=name: value(name))
    assert made == ["a", "b", "c", "b"]


def test_a_value_larger_than_the_budget_is_kept_until_the_next() -> None:
    cache: Cache[np.ndarray] = Cache(megabytes=0)
    first = cache.get("a", lambda: np.zeros(3))
    assert cache.get("a", lambda: np.ones(3)) is first
    cache.get("b", lambda: np.ones(3))
    assert cache.get("a", lambda: np.ones(3)) is not first


def test_a_cache_travels_empty() -> None:
    cache: Cache[np.ndarray] = Cache(megabytes=9)
    cache.get("a", lambda: np.zeros(2**20))
    packed = pickle.dumps(cache)
    assert len(packed) < 1000
    assert pickle.loads(packed).get("a", lambda: np.ones(1)).tolist() == [1]
