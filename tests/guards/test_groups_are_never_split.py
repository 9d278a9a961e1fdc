"""Frames of one video, or slices of one patient, lie in one part of a split."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from s2s2.data import Case, ClassMap, Dataset, Split, split_by_group
from s2s2.errors import SplitError


@settings(max_examples=50)
@given(groups=st.lists(st.integers(0, 12), min_size=8, max_size=60), seed=st.integers(0, 99))
def test_no_group_lies_in_two_parts(groups: list[int], seed: int) -> None:
    cases = [Case(f"c{i}", Path(f"c{i}.png"), None, f"p{group}", "home") for i, group in enumerate(groups)]
    data = Dataset(cases, ClassMap.parse(["background=0", "polyp=1"]), 3)
    if len(set(groups)) < 3:
        with pytest.raises(SplitError, match="a split needs 3"):
            split_by_group(data, seed=seed)
        return
    split = split_by_group(data, seed=seed)
    part_of: dict[str, set[str]] = {}
    for part in ("train", "validation", "test"):
        for case_id in getattr(split, part):
            part_of.setdefault(data.case(case_id).group, set()).add(part)
    assert all(len(parts) == 1 for parts in part_of.values())


def test_a_split_that_tears_a_group_is_refused(site: Path) -> None:
    data = Dataset.open(site)
    divided = Split(train=("case_00",), validation=("case_01",), test=("case_02",))
    with pytest.raises(SplitError, match=r"1 group is split across parts: group_0\. Cases of one"):
        divided.check(data)
    with pytest.raises(SplitError, match="must stay together"):
        divided.training(data)
