from __future__ import annotations

import math
import time

import numpy as np
import pytest

from s2s2.core.streams import stream
from s2s2.errors import EvaluationError
from s2s2.statistics import ClusterBootstrap, holm, json_number, signed_rank


def test_the_mean_is_over_all_cases_not_over_groups() -> None:
    interval = ClusterBootstrap(["a", "a", "a", "b"]).interval(np.array([1.0, 1, 1, 0]))
    assert interval.mean == 0.75


def test_the_interval_equals_a_naive_loop_over_the_same_counts() -> None:
    rng = np.random.default_rng(0)
    groups = [f"g{index % 5}" for index in range(13)]
    values = rng.random((3, 13))
    values[1, 4] = np.nan
    bootstrap = ClusterBootstrap(groups, runs=3, draws=60)
    drawn = []
    for group_counts, run_counts in zip(bootstrap._group_counts, bootstrap._run_counts, strict=True):
        picked: list[float] = []
        for run in range(3):
            for case, group in enumerate(groups):
                times = int(run_counts[run] * group_counts[int(group[1])])
                if np.isfinite(values[run, case]):
                    picked += [values[run, case]] * times
        drawn.append(np.mean(picked))
    interval = bootstrap.interval(values)
    assert (interval.low, interval.high) == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])))
    assert interval.mean == pytest.approx(np.nanmean(values))


def test_every_draw_takes_as_many_groups_and_runs_as_there_are() -> None:
    bootstrap = ClusterBootstrap(list("aabbccd"), runs=3, draws=50)
    assert (bootstrap._group_counts.sum(axis=1) == 4).all()
    assert (bootstrap._run_counts.sum(axis=1) == 3).all()
    assert bootstrap._group_counts.std() > 0
    assert bootstrap._run_counts.std() > 0


def test_cases_of_one_group_widen_the_interval() -> None:
    rng = np.random.default_rng(1)
    values = np.repeat(rng.standard_normal(20), 10) + 0.1 * rng.standard_normal(200)
    clustered = ClusterBootstrap([f"g{index // 10}" for index in range(200)]).interval(values)
    naive = ClusterBootstrap([f"g{index}" for index in range(200)]).interval(values)
    assert clustered.high - clustered.low > 2 * (naive.high - naive.low)


def test_seeds_that_disagree_widen_the_interval() -> None:
    values = np.random.default_rng(2).standard_normal(100)
    groups = [str(index) for index in range(100)]
    alike = ClusterBootstrap(groups, runs=3).interval(np.stack([values] * 3))
    unlike = ClusterBootstrap(groups, runs=3).interval(np.stack([values - 1, values, values + 1]))
    assert alike.mean == pytest.approx(unlike.mean)
    assert unlike.high - unlike.low > 2 * (alike.high - alike.low)


def test_the_same_seed_gives_the_same_interval() -> None:
    values = np.random.default_rng(0).random(40)
    groups = [f"g{index // 2}" for index in range(40)]
    assert ClusterBootstrap(groups, seed=3).interval(values) == ClusterBootstrap(groups, seed=3).interval(
        values
    )
    assert ClusterBootstrap(groups, seed=3).interval(values) != ClusterBootstrap(groups, seed=4).interval(
        values
    )


def test_nan_does_not_count() -> None:
    values = np.array([0.5, np.nan, 0.7, 0.9])
    left_out = ClusterBootstrap(list("abcd")).interval(values)
    assert left_out.mean == pytest.approx(0.7)
    assert 0.5 <= left_out.low < left_out.high <= 0.9


def test_one_group_has_a_mean_but_no_interval() -> None:
    interval = ClusterBootstrap(["a", "a"]).interval(np.array([0.2, 0.4]))
    assert interval.mean == pytest.approx(0.3)
    assert math.isnan(interval.low)
    assert math.isnan(interval.high)
    # A second group without any value is no second group.
    assert math.isnan(ClusterBootstrap(["a", "b"]).interval(np.array([0.2, np.nan])).low)


def test_without_values_there_is_nothing() -> None:
    interval = ClusterBootstrap(["a", "b"]).interval(np.full(2, np.nan))
    assert math.isnan(interval.mean)
    assert math.isnan(interval.low)


def test_the_level_sets_the_width() -> None:
    values = np.random.default_rng(0).standard_normal(60)
    groups = [str(index) for index in range(60)]
    wide = ClusterBootstrap(groups, level=0.95).interval(values)
    narrow = ClusterBootstrap(groups, level=0.5).interval(values)
    assert wide.low < narrow.low < narrow.high < wide.high


def test_the_interval_draws_whole_groups() -> None:
    values = np.repeat([0.0, 1.0, 0.0, 1.0], 25)
    few = ClusterBootstrap(np.repeat(["a", "b", "c", "d"], 25).tolist(), draws=400).interval(values)
    many = ClusterBootstrap([str(number) for number in range(100)], draws=400).interval(values)
    assert few.mean == many.mean == 0.5
    assert few.high - few.low > 3 * (many.high - many.low)


def test_an_audits_interval_is_what_naive_loops_over_its_own_stream_give() -> None:
    groups, values = ["b", "a", "b", "c"], [0.1, 0.4, np.nan, 0.9]
    picks = stream(3, "audit", "bootstrap").integers(3, size=(50, 3))
    means = []
    for row in picks:
        chosen = [v for number in row for g, v in zip(groups, values, strict=True) if g == "abc"[number]]
        kept = [value for value in chosen if not math.isnan(value)]
        means.append(sum(kept) / len(kept))
    found = ClusterBootstrap(groups, draws=50, seed=3, purpose=("audit", "bootstrap")).interval(values)
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(means, (0.025, 0.975))))
    assert found.mean == pytest.approx(1.4 / 3)


def test_no_value_and_one_group_have_no_interval() -> None:
    bootstrap = ClusterBootstrap(["a", "a", "b"], draws=20)
    assert bootstrap.interval([np.nan] * 3).to_dict() == {"mean": None, "low": None, "high": None}
    alone = bootstrap.interval([0.5, 0.7, np.nan])
    assert alone.mean == pytest.approx(0.6)
    assert math.isnan(alone.low)
    assert json_number(1e-9) == 1e-9


@pytest.mark.parametrize(
    "options", [{"groups": []}, {"draws": 0}, {"runs": 0}, {"level": 0.0}, {"level": 1.0}]
)
def test_what_cannot_be_resampled_is_refused(options: dict) -> None:
    given = {"groups": ["a", "b"], **options}
    with pytest.raises(EvaluationError, match="A bootstrap needs cases, runs and draws"):
        ClusterBootstrap(given.pop("groups"), **given)


def test_values_must_fit_the_groups() -> None:
    with pytest.raises(EvaluationError, match=r"shape \(1, 3\), but the bootstrap was made for \(2, 2\)"):
        ClusterBootstrap(["a", "b"], runs=2).interval(np.zeros(3))


def simulated_coverage(runs: int, seed: int) -> float:
    """Share of 200 simulated studies whose interval holds the true mean 0."""
    rng = np.random.default_rng(seed)
    covered = 0
    for _ in range(200):
        sizes = rng.integers(1, 7, 40)
        groups = np.repeat(np.arange(40), sizes)
        of_group = np.repeat(rng.standard_normal(40), sizes)
        of_run = 0.3 * rng.standard_normal((runs, 1)) if runs > 1 else 0.0
        values = of_group + of_run + rng.standard_normal((runs, len(groups)))
        interval = ClusterBootstrap([str(group) for group in groups], runs=runs, draws=400).interval(values)
        covered += interval.low <= 0 <= interval.high
    return covered / 200


def test_95_percent_intervals_of_clustered_cases_cover_95_percent() -> None:
    assert 0.88 <= simulated_coverage(runs=1, seed=0) <= 0.99


def test_95_percent_intervals_over_cases_and_seeds_cover_95_percent() -> None:
    assert 0.88 <= simulated_coverage(runs=8, seed=1) <= 0.99


def test_2000_draws_over_300_cases_of_several_arms_are_quick() -> None:
    values = np.random.default_rng(0).random((5, 3, 300))
    start = time.perf_counter()
    bootstrap = ClusterBootstrap([str(index) for index in range(300)], runs=3, draws=2000)
    for arm in values:
        bootstrap.interval(arm)
    assert time.perf_counter() - start < 0.5


def test_holm_table() -> None:
    # Four tests: 0.005 * 4, 0.01 * 3, 0.03 * 2, and 0.04 * 1 is lifted to 0.06.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.9]) == [1, 1]
    assert holm([]) == []


def test_holm_leaves_nan_alone() -> None:
    corrected = holm([math.nan, 0.02, 0.03])
    assert math.isnan(corrected[0])
    assert corrected[1:] == pytest.approx([0.04, 0.04])


def test_signed_rank_of_nothing() -> None:
    assert math.isnan(signed_rank(np.array([])))
    assert signed_rank(np.array([0.3])) == 1
