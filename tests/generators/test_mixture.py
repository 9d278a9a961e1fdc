from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from s2s2.core.streams import stream
from s2s2.errors import ConfigError
from s2s2.generators import Appearance, Boxes, Composite, Mixture, build_generator
from tests.generators.learnt import Learnt
from tests.generators.made import drawn, split_of


@pytest.mark.parametrize("shares", [(8, 8), (4, 12), (1, 2, 5), (3,), (1, 1, 1)])
def test_every_round_holds_the_shares_and_any_depth_about_them(shares: tuple[int, ...]) -> None:
    mixture = Mixture([Boxes()] * len(shares), shares)
    total = sum(shares)
    for rounds in (1, 3):
        turns = [mixture.part_of(number) for number in range(rounds * total)]
        assert [turns.count(part) for part in range(len(shares))] == [rounds * share for share in shares]
    for depth in range(1, 3 * total):
        turns = [mixture.part_of(number) for number in range(depth)]
        for part, share in enumerate(shares):
            assert abs(turns.count(part) - depth * share / total) <= 1


def test_a_copy_is_that_of_its_part_with_a_seed_and_numbers_of_its_own(tmp_path: Path) -> None:
    dataset = drawn(tmp_path)
    split, case = split_of(dataset), dataset.cases[2]
    mixture = Mixture([Appearance(), Composite()], [3, 1]).fit(dataset, split)
    whole = mixture.sample(case, 11, 5)
    for position, kind in enumerate((Appearance, Composite)):
        rows = [number for number in range(11) if mixture.part_of(number) == position]
        seed = int(stream(5, "mixture", position).integers(2**31))
        alone = kind().fit(dataset, split).sample(case, len(rows), seed)
        np.testing.assert_array_equal(whole[rows], alone)
    for start, depth in ((0, 4), (3, 5), (7, 1), (4, 0)):
        np.testing.assert_array_equal(
            mixture.sample(case, depth, 5, start=start), whole[start : start + depth]
        )


def test_like_parts_draw_apart(tmp_path: Path) -> None:
    dataset = drawn(tmp_path)
    copies = build_generator("boxes,boxes").fit(dataset, split_of(dataset)).sample(dataset.cases[-1], 8, 0)
    assert any((copies[2 * n] != copies[2 * n + 1]).any() for n in range(4))


def test_a_mixture_promises_what_all_parts_promise() -> None:
    assert build_generator("appearance,boxes").traits == {"exact", "geometry"}
    assert build_generator("appearance,composite+boxes").traits == {"exact"}
    assert Mixture([Learnt(), Boxes()], [1, 1]).traits == frozenset()


def test_a_batch_of_a_mixture_fills_the_batches_of_its_parts() -> None:
    assert Mixture([Learnt(batch=16), Boxes()], [8, 8]).batch == 32
    assert Mixture([Learnt(batch=16), Learnt(batch=6)], [3, 1]).batch == 24
    assert Mixture([Composite(), Boxes()], [1, 1]).batch == 1


def test_parts_that_are_alike_are_tuned_once(tmp_path: Path) -> None:
    first, twin, other = Learnt(), Learnt(), Learnt(noise=0.2)
    mixture = Mixture([first, Mixture([twin, Boxes()], [1, 1]), other], [1, 1, 1])
    assert mixture.learners == (first, twin, other)
    assert [part.folder for part in mixture.learners] == [None] * 3
    assert not mixture.tuned
    mixture.place(tmp_path)
    assert first.folder == twin.folder == tmp_path / "learnt"
    assert other.folder == tmp_path / "learnt-2"


def test_a_mixture_is_fitted_when_all_parts_are(tmp_path: Path) -> None:
    dataset = drawn(tmp_path / "site")
    split = split_of(dataset)
    learnt = Learnt()
    mixture = Mixture([learnt, Boxes()], [1, 1])
    mixture.place(tmp_path / "tuned")
    learnt.tune(dataset, split)
    assert mixture.tuned
    assert mixture.case_ids == ()
    assert mixture.fit(dataset, split).case_ids == split.train
    assert mixture.weights == learnt.weights != ""


@pytest.mark.parametrize("shares", [[], [1], [1, 0], [1, 2, 3]])
def test_shares_that_do_not_fit_are_refused(shares: list[int]) -> None:
    with pytest.raises(ConfigError, match="for each a share of 1 or more, got shares"):
        Mixture([Boxes(), Boxes()], shares)
