"""A live stack makes the copies that a stored one holds, and goes on after the last of them."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from s2s2.data import Dataset, Split
from s2s2.errors import StackError
from s2s2.generators import build_generator
from s2s2.stack import LiveStack, PairedDataset, build_stack
from tests.generators.learnt import Learnt
from tests.stack.made import Echo

Home = tuple[Dataset, Split]


@pytest.fixture
def train(home: Home) -> Dataset:
    return home[0].subset(home[1].train)


@pytest.mark.parametrize("spec", ["randconv", "composite+appearance:1,randconv:2"])
@pytest.mark.parametrize("bits", [8, 16])
def test_its_first_copies_are_those_of_the_stored_stack(
    spec: str, bits: int, home: Home, train: Dataset, tmp_path: Path
) -> None:
    stored = build_stack(build_generator(spec), *home, tmp_path / "stack", depth=4, seed=3, bits=bits)
    live = LiveStack(build_generator(spec).fit(*home), train, seed=3, bits=bits)
    for case_id in train.ids:
        for number in range(4):
            np.testing.assert_array_equal(live.copy(case_id, number), stored.copy(case_id, number))


def test_every_visit_shows_another_copy_whatever_reads_it(home: Home, train: Dataset) -> None:
    live = LiveStack(build_generator("randconv").fit(*home), train)
    pairs = PairedDataset(train, live, side=32)
    seen = {pairs[0, epoch]["synthetic"].numpy().tobytes() for epoch in range(30)}
    assert len(seen) == 30
    assert [pairs.copy_number(train.ids[0], epoch) for epoch in (0, 1, 29)] == [0, 1, 29]
    order = [(index, epoch) for epoch in range(2) for index in range(len(train))]
    alone = [pairs[place]["synthetic"] for place in order]
    with_workers = DataLoader(pairs, sampler=order, batch_size=None, num_workers=2)
    for one, other in zip(alone, with_workers, strict=True):
        assert torch.equal(one, other["synthetic"])
    again = pickle.loads(pickle.dumps(pairs))
    assert torch.equal(again[1, 7]["synthetic"], pairs[1, 7]["synthetic"])


def test_it_is_known_by_its_recipe(home: Home, train: Dataset) -> None:
    made = LiveStack(build_generator("randconv").fit(*home), train, seed=5).manifest
    assert made["generator"]["name"] == "randconv"
    assert (made["seed"], made["depth"], made["bits"]) == (5, "live", 8)
    wider = LiveStack(build_generator("randconv(width=0.5)").fit(*home), train, seed=5).manifest
    assert wider != made


def test_what_has_to_be_tuned_or_may_be_wrong_is_refused(home: Home, train: Dataset) -> None:
    for generator, message in (
        (Learnt(), "it must need no tuning"),
        (build_generator("randconv"), "it must be fitted"),
    ):
        with pytest.raises(StackError, match=f"cannot make copies while training: {message}"):
            LiveStack(generator, train)


def test_a_generator_of_another_split_is_refused(home: Home, train: Dataset) -> None:
    dataset, split = home
    fewer = Split(train=split.train[:-1], validation=split.validation, test=split.test)
    less = LiveStack(Echo().fit(dataset, fewer), train)
    with pytest.raises(StackError, match="was not fitted on 1 cases"):
        PairedDataset(train, less, side=32)
    more = LiveStack(Echo().fit(dataset, split), train)
    with pytest.raises(StackError, match="was also fitted on 1 cases"):
        more.verify(dataset.subset(fewer.train))
