from __future__ import annotations

from pathlib import Path

import pytest

from s2s2.data import Split
from s2s2.errors import SplitError
from s2s2.generators.donors import Donors
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
