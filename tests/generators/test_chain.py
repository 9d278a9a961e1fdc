from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from s2s2.core.streams import stream
from s2s2.errors import ConfigError
from s2s2.generators import Boxes, BoxesConfig, Chain, Composite
from tests.generators.learnt import Learnt
from tests.generators.made import drawn, split_of
from tests.stack.made import Echo


def test_a_chain_restyles_the_copies_of_its_first_part(tmp_path: Path) -> None:
    dataset = drawn(tmp_path)
    split = split_of(dataset)
    case, boxes = dataset.cases[0], Boxes()
    copies = Chain([Composite(), boxes]).fit(dataset, split).sample(case, 3, 5, start=2)
    bare = Composite().fit(dataset, split).sample(case, 3, 5, start=2)
    for row, number in enumerate((2, 3, 4)):
        rng = stream(5, "chain", 1, "boxes", case.id, number)
        np.testing.assert_array_equal(copies[row], boxes.restyle(bare[row], dataset.mask(case), rng, case))


def test_the_same_part_twice_draws_twice(tmp_path: Path) -> None:
    dataset = drawn(tmp_path)
    split = split_of(dataset)
    case = dataset.cases[-1]
    once, twice = (
        Chain([Echo(noise=0), *[Boxes()] * n]).fit(dataset, split).sample(case, 6, 0) for n in (1, 2)
    )
    assert (once != twice).any()


def test_any_generator_may_come_first(tmp_path: Path) -> None:
    dataset = drawn(tmp_path)
    chain = Chain([Echo(), Boxes()]).fit(dataset, split_of(dataset))
    assert chain.name == "echo+boxes"
    assert chain.case_ids == dataset.ids
    assert chain.config() == {
        "parts": [
            {"name": "echo", "init_args": {"noise": 0.05}},
            {"name": "boxes", "init_args": {"most": 3, "side": [0.06, 0.22]}},
        ]
    }


def test_what_cannot_restyle_comes_first_or_not_at_all() -> None:
    with pytest.raises(ConfigError, match=r"'composite' cannot be applied to .* Put it first"):
        Chain([Boxes(), Composite()])
    with pytest.raises(ConfigError, match="needs one part or more, got none"):
        Chain([])


def test_copies_that_failed_are_not_restyled(tmp_path: Path) -> None:
    dataset = drawn(tmp_path / "site")
    split, case = split_of(dataset), dataset.cases[0]
    chain = Chain([Learnt(fails=[f"{case.id}/1/black", f"{case.id}/2/nan"]), Boxes(BoxesConfig(most=40))])
    chain.place(tmp_path / "tuned")
    copies = chain.fit(dataset, split).sample(case, 4, 0)
    assert not copies[1].any()
    assert np.isnan(copies[2]).any()
    assert np.isfinite(copies[[0, 3]]).all()


def test_a_chain_answers_for_its_parts(tmp_path: Path) -> None:
    learnt = Learnt(batch=6)
    chain = Chain([learnt, Boxes()])
    assert (chain.traits, chain.batch, chain.weights, learnt.folder) == (frozenset(), 6, "", None)
    assert (chain.learners, chain.parts, chain.tuned) == ((learnt,), (chain,), False)
    chain.place(tmp_path)
    assert learnt.folder == tmp_path / "learnt"
    exact = Chain([Composite(), Boxes()])
    assert (exact.traits, exact.batch, exact.tuned, exact.learners) == ({"exact"}, 1, True, ())


def test_masks_made_together_are_restyled_each_with_its_own(tmp_path: Path) -> None:
    dataset = drawn(tmp_path)
    chain = Chain([Echo(), Boxes()]).fit(dataset, split_of(dataset))
    cases = dataset.cases[:3]
    for case, copies in zip(cases, chain.sample_batch(cases, 2, 3, start=1), strict=True):
        np.testing.assert_array_equal(copies, chain.sample(case, 2, 3, start=1))
