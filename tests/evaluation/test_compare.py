from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import wilcoxon

from s2s2.errors import EvaluationError
from s2s2.evaluation import COMPARISON_COLUMNS
from s2s2.evaluation.compare import compare
from s2s2.statistics import holm
from tests.evaluation.drawn_scores import drawn_scores, table_of


def two_arms(reference: list[float], arm: list[float]) -> pd.DataFrame:
    """Scores of one seed on one domain, one class."""
    return table_of(
        [
            (name, 0, "away", f"c{place}", 1, value, "absent" if math.isnan(value) else "scored")
            for name, values in (("baseline", reference), ("s2s2", arm))
            for place, value in enumerate(values)
        ]
    )


def test_a_table_by_hand() -> None:
    reference, arm = [0.5, 0.6, 0.7, 0.8, 0.9], [0.6, 0.8, 0.7, 0.75, 0.95]
    row = compare(two_arms(reference, arm), metrics=["dice"]).iloc[0]
    assert row["difference"] == pytest.approx((0.1 + 0.2 + 0 - 0.05 + 0.05) / 5)
    assert row["mean_reference"] == pytest.approx(0.7)
    assert row["mean_arm"] == pytest.approx(0.76)
    assert [row["better"], row["worse"], row["tied"]] == [3, 1, 1]
    assert [row["n_cases"], row["n_groups"], row["n_seeds"], row["n_absent"]] == [5, 3, 1, 0]
    # Without the tie the ranks are 3 (0.1), 4 (0.2) and, tied, 1.5 each (-0.05 and 0.05).
    assert row["p_wilcoxon"] == pytest.approx(wilcoxon([3, 4, -1.5, 1.5]).pvalue)
    assert row["p_holm"] == row["p_wilcoxon"]
    assert row["low"] <= row["difference"] <= row["high"]


def test_less_is_better_for_distances() -> None:
    row = compare(two_arms([0.5, 0.6], [0.7, 0.8]), metrics=["hd95"]).iloc[0]
    assert row["difference"] == pytest.approx(-8)
    assert [row["better"], row["worse"]] == [2, 0]


def test_the_columns_are_the_documented_ones() -> None:
    assert list(compare(drawn_scores()).columns) == list(COMPARISON_COLUMNS)


def test_each_arm_meets_the_baseline_and_s2s2_meets_duplicate() -> None:
    table = compare(drawn_scores(), metrics=["dice"])
    assert list(table[["arm", "reference", "domain"]].itertuples(index=False, name=None)) == [
        (arm, reference, domain)
        for arm, reference in (("duplicate", "baseline"), ("s2s2", "baseline"), ("s2s2", "duplicate"))
        for domain in ("home", "away")
    ]


def test_duplicate_may_be_the_baseline() -> None:
    table = compare(drawn_scores(("duplicate", "s2s2")), baseline="duplicate", metrics=["dice"])
    assert (table["reference"] == "duplicate").all()
    assert len(table) == 2


def test_pairs_can_be_chosen() -> None:
    table = compare(drawn_scores(), metrics=["dice"], pairs=[("duplicate", "s2s2")])
    assert set(table["reference"]) == {"s2s2"}
    assert (table["difference"] < 0).all()


def test_a_true_gain_is_found_and_none_is_not() -> None:
    table = compare(drawn_scores(gain=0.05), metrics=["dice"]).set_index(["arm", "reference", "domain"])
    gain = table.loc[("s2s2", "baseline", "away")]
    assert gain["low"] > 0.03
    assert gain["p_holm"] < 0.01
    assert gain["better"] == 12
    none = table.loc[("duplicate", "baseline", "away")]
    assert none["low"] < 0 < none["high"]
    assert none["p_holm"] > 0.05


def test_cases_pair_by_id_whatever_the_order() -> None:
    scores = drawn_scores(domains=("home",))
    shuffled = pd.concat([scores[scores["arm"] != "s2s2"], scores[scores["arm"] == "s2s2"].iloc[::-1]])
    pd.testing.assert_frame_equal(compare(scores), compare(shuffled))


def test_case_means_over_seeds_go_into_the_test() -> None:
    scores = drawn_scores(("baseline", "s2s2"), seeds=3, domains=("home",))
    wide = scores.pivot_table(index="case", columns="arm", values="dice", aggfunc="mean")
    expected = wilcoxon(np.round(wide["s2s2"] - wide["baseline"], 12)).pvalue
    assert compare(scores, metrics=["dice"])["p_wilcoxon"].iloc[0] == pytest.approx(expected)


def test_arms_that_are_equal_have_p_1_and_only_ties() -> None:
    row = compare(two_arms([0.5, 0.6, 0.7], [0.5, 0.6, 0.7]), metrics=["dice"]).iloc[0]
    assert [row["p_wilcoxon"], row["p_holm"], row["difference"], row["tied"]] == [1, 1, 0, 3]
    assert (row["low"], row["high"]) == (0, 0)


def test_cases_that_are_absent_in_both_arms_are_left_out_and_counted() -> None:
    row = compare(two_arms([0.5, math.nan, 0.7], [0.6, math.nan, 0.8]), metrics=["dice"]).iloc[0]
    assert [row["n_cases"], row["n_absent"]] == [2, 1]
    assert row["difference"] == pytest.approx(0.1)


def test_a_false_alarm_of_one_arm_alone_counts_against_it() -> None:
    scores = two_arms([0.5, math.nan, 0.7], [0.5, 0.0, 0.7])
    scores.loc[(scores["arm"] == "s2s2") & (scores["case"] == "c1"), "status"] = "false"
    table = compare(scores, metrics=["dice", "hd95", "precision"]).set_index("metric")
    assert table.loc["dice", "difference"] == pytest.approx(-1 / 3)
    assert table.loc["dice", "n_cases"] == 3
    assert table.loc["hd95", "difference"] == pytest.approx(40 / 3)
    assert table.loc["hd95", "worse"] == 1
    # Nothing predicted has no precision, so this pair says nothing of it.
    assert table.loc["precision", "n_cases"] == 2


def test_metrics_that_were_not_measured_are_passed_over() -> None:
    table = compare(drawn_scores().assign(hd95=math.nan, nsd=math.nan))
    assert set(table["metric"]) == {"dice"}
    # Flat images have no volume.
    asked = compare(drawn_scores(), metrics=["volume_error_ml", "assd"])
    assert set(asked["metric"]) == {"assd"}


def test_holm_runs_over_domains_and_metrics_of_a_pair() -> None:
    table = compare(drawn_scores(gain=0.002), metrics=["dice", "hd95", "recall"])
    for _, family in table.groupby(["arm", "reference"]):
        assert len(family) == 6
        assert family["p_holm"].tolist() == holm(family["p_wilcoxon"].tolist())


def test_another_number_of_cases_is_refused() -> None:
    scores = drawn_scores()
    spoiled = scores[(scores["arm"] != "s2s2") | (scores["case"] != "case_03") | (scores["domain"] != "away")]
    with pytest.raises(EvaluationError, match=r"'s2s2' and 'baseline' .* 2 row\(s\) .*seed 0, away, case_03"):
        compare(spoiled)


def test_another_number_of_seeds_is_refused() -> None:
    scores = drawn_scores()
    with pytest.raises(EvaluationError, match="must have the same seeds and cases"):
        compare(scores[(scores["arm"] != "s2s2") | (scores["seed"] == 0)])


def test_a_missing_baseline_is_refused() -> None:
    with pytest.raises(EvaluationError, match=r"nothing to compare with baseline: .* arm\(s\) s2s2\."):
        compare(drawn_scores(("s2s2",)))
    with pytest.raises(EvaluationError, match=r"nothing to compare with mine"):
        compare(drawn_scores(), pairs=[("s2s2", "mine")])


def test_arm_and_seed_are_needed() -> None:
    with pytest.raises(EvaluationError, match=r"lacks the column\(s\) arm, seed"):
        compare(drawn_scores().drop(columns=["arm", "seed"]))
