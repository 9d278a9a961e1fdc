"""What training is given holds no test case, by id or by handing one over."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from s2s2.data import Dataset, split_by_group
from s2s2.errors import DataError


def test_training_cannot_open_a_test_case(site: Path) -> None:
    data = Dataset.open(site)
    split = split_by_group(data)
    for case in data:
        data.image(case)  # kept in memory, and still out of reach
    given = split.training(data)
    assert given.train.ids == split.train
    assert given.validation.ids == split.validation
    for seen in (given.train, given.validation):
        for case_id in split.test:
            with pytest.raises(DataError, match=f"no case '{case_id}'"):
                seen.case(case_id)
            for read in (seen.image, seen.mask, seen.original_mask, seen.original_shape, seen.placement):
                with pytest.raises(DataError, match=f"no case '{case_id}'"):
                    read(data.case(case_id))
            assert case_id.encode() not in pickle.dumps(seen)
