from __future__ import annotations

from collections import Counter

from hypothesis import given, strategies as st

from s2s2.data.stratify import assign

GROUPS = st.lists(st.integers(1, 6), min_size=3, max_size=40)


@given(sizes=GROUPS, seed=st.integers(0, 5), shares=st.tuples(*[st.integers(1, 9)] * 3))
def test_every_group_goes_to_one_part_and_no_part_is_empty(
    sizes: list[int], seed: int, shares: tuple[int, int, int]
) -> None:
    groups = {f"g{index}": [index / 10] * size for index, size in enumerate(sizes)}
    first = max(1, shares[0] * sum(sizes) // sum(shares))
    second = max(1, shares[1] * sum(sizes) // sum(shares))
    wanted = (first, second, max(1, sum(sizes) - first - second))
    parts = assign(groups, wanted, seed=seed)
    assert parts.keys() == groups.keys()
    assert set(parts.values()) == {0, 1, 2}
    assert parts == assign(dict(reversed(groups.items())), wanted, seed=seed)


@given(number=st.integers(10, 60), seed=st.integers(0, 5))
def test_single_cases_meet_the_counts(number: int, seed: int) -> None:
    groups = {f"g{index}": [index / number] for index in range(number)}
    wanted = (number - 6, 2, 3, 1)
    found = Counter(assign(groups, wanted, seed=seed).values())
    assert tuple(found[part] for part in range(4)) == wanted


def test_parts_that_want_nothing_get_nothing() -> None:
    assert set(assign({"a": [0.0], "b": [0.1], "c": [0.2]}, (2, 1, 0, 0), seed=0).values()) == {0, 1}
