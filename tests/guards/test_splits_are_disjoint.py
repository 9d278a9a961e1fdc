"""Train, validation and test share no case: what chooses is not what reports."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from s2s2.data import Split
from s2s2.errors import SplitError

IDS = st.lists(st.sampled_from("abcdefgh"), max_size=4)


@given(train=IDS, validation=IDS, test=IDS)
def test_an_overlap_cannot_be_made(train: list[str], validation: list[str], test: list[str]) -> None:
    everything = train + validation + test
    if len(set(everything)) == len(everything):
        split = Split(tuple(train), tuple(validation), tuple(test))
        assert {*split.train, *split.validation, *split.test} == set(everything)
        return
    with pytest.raises(SplitError, match=r"more than once: .*must not share a case"):
        Split(tuple(train), tuple(validation), tuple(test))


def test_an_overlap_cannot_be_loaded(tmp_path: Path) -> None:
    path = tmp_path / "split.json"
    path.write_text('{"format": 1, "seed": 0, "train": ["a"], "validation": ["b"], "test": ["b"]}')
    with pytest.raises(SplitError, match="lists 1 case more than once: b"):
        Split.load(path)
