from __future__ import annotations

from collections import Counter

import pytest

from s2s2.errors import ConfigError
from s2s2.stack import StepSampler


def run(sampler: StepSampler, epochs: range) -> list[list[tuple[int, int]]]:
    batches = []
    for epoch in epochs:
        sampler.set_epoch(epoch)
        batches += list(sampler)
    return batches


def test_a_pass_shows_every_case_once() -> None:
    pairs = [pair for batch in run(StepSampler(7, 4, 7, seed=0), range(3)) for pair in batch]
    assert len(pairs) == 84
    assert Counter(number for _, number in pairs) == dict.fromkeys(range(12), 7)
    for number in range(12):
        assert sorted(index for index, of in pairs if of == number) == list(range(7))


def test_passes_have_orders_of_their_own() -> None:
    pairs = [pair for batch in run(StepSampler(20, 20, 4, seed=0), range(1)) for pair in batch]
    orders = {tuple(index for index, of in pairs if of == number) for number in range(4)}
    assert len(orders) == 4


def test_every_step_is_full_and_has_its_length() -> None:
    sampler = StepSampler(5, 24, 10, seed=0)
    assert len(sampler) == 10
    assert [len(batch) for batch in sampler] == [24] * 10
    assert len(set(next(iter(sampler)))) == 24


def test_a_resumed_run_goes_on_as_if_it_had_not_stopped() -> None:
    whole = run(StepSampler(7, 3, 5, seed=1), range(6))
    assert run(StepSampler(7, 3, 5, seed=1), range(4, 6)) == whole[20:]
    assert whole != run(StepSampler(7, 3, 5, seed=2), range(6))


def test_processes_share_one_run() -> None:
    whole = run(StepSampler(7, 3, 8, seed=0), range(1))
    ranks = [run(StepSampler(7, 3, 4, seed=0, rank=rank, ranks=2), range(1)) for rank in range(2)]
    assert [batch for pair in zip(*ranks, strict=True) for batch in pair] == whole


@pytest.mark.parametrize(
    "change", [{"cases": 0}, {"batch": 0}, {"steps_per_epoch": 0}, {"rank": 2, "ranks": 2}]
)
def test_numbers_that_cannot_be_used_are_named(change: dict) -> None:
    with pytest.raises(ConfigError, match="at least one case, batch, step and process"):
        StepSampler(**{"cases": 3, "batch": 2, "steps_per_epoch": 1, "seed": 0, **change})
