from __future__ import annotations

from collections import Counter

import pytest

from s2s2.core.engine.sampler import StepSampler
from s2s2.core.streams import stream
from s2s2.errors import ConfigError


def test_batches_are_cut_from_one_run_of_orders() -> None:
    """Derived again without batches: all passes in a row, cut into pieces."""
    for purpose in ("order", "tuning order"):
        orders = [stream(5, purpose, turn).permutation(7).tolist() for turn in range(10)]
        row = [(item, turn) for turn, order in enumerate(orders) for item in order]
        pieces = [row[start : start + 4] for start in range(0, 68, 4)]
        assert list(StepSampler(7, 4, range(17), seed=5, purpose=purpose)) == pieces
        assert list(StepSampler(7, 4, range(9, 17), seed=5, purpose=purpose)) == pieces[9:]


def test_a_pass_shows_every_item_once() -> None:
    pairs = [pair for batch in StepSampler(7, 4, range(21), seed=0) for pair in batch]
    assert len(pairs) == 84
    assert Counter(number for _, number in pairs) == dict.fromkeys(range(12), 7)
    for number in range(12):
        assert sorted(index for index, of in pairs if of == number) == list(range(7))


def test_passes_have_orders_of_their_own() -> None:
    pairs = [pair for batch in StepSampler(20, 20, range(4), seed=0) for pair in batch]
    orders = {tuple(index for index, of in pairs if of == number) for number in range(4)}
    assert len(orders) == 4


def test_every_step_is_full_and_has_its_length() -> None:
    sampler = StepSampler(5, 24, range(10), seed=0)
    assert len(sampler) == 10
    assert [len(batch) for batch in sampler] == [24] * 10
    assert len(set(next(iter(sampler)))) == 24


def test_a_resumed_run_goes_on_as_if_it_had_not_stopped() -> None:
    whole = list(StepSampler(7, 3, range(30), seed=1))
    assert list(StepSampler(7, 3, range(20, 30), seed=1)) == whole[20:]
    assert whole != list(StepSampler(7, 3, range(30), seed=2))


def test_processes_share_one_run() -> None:
    whole = list(StepSampler(7, 3, range(8), seed=0))
    ranks = [list(StepSampler(7, 3, range(4), seed=0, rank=rank, ranks=2)) for rank in range(2)]
    assert [batch for pair in zip(*ranks, strict=True) for batch in pair] == whole


@pytest.mark.parametrize(
    "change", [{"items": 0}, {"batch": 0}, {"numbers": range(0)}, {"rank": 2, "ranks": 2}]
)
def test_numbers_that_cannot_be_used_are_named(change: dict) -> None:
    with pytest.raises(ConfigError, match="at least one item, batch, step and process"):
        StepSampler(**{"items": 3, "batch": 2, "numbers": range(1), "seed": 0, **change})
