from __future__ import annotations

import math

import numpy as np
import pytest

from s2s2.errors import EvaluationError
from s2s2.evaluation import SUMMARY_COLUMNS, summarise
from s2s2.metrics import METRICS
from tests.evaluation.drawn_scores import drawn_scores, table_of

# Case a: both classes. b: class 2 absent. c: class 1 missed. d: class 2 invented. e: nothing at all.
TABLE = table_of(
    [
        ("net", 0, "home", "a", 1, 0.8, "scored"),
        ("net", 0, "home", "a", 2, 0.4, "scored"),
        ("net", 0, "home", "b", 1, 0.9, "scored"),
        ("net", 0, "home", "b", 2, math.nan, "absent"),
        ("net", 0, "home", "c", 1, 0.0, "missed"),
        ("net", 0, "home", "c", 2, 0.6, "scored"),
        ("net", 0, "home", "d", 1, 0.7, "scored"),
        ("net", 0, "home", "d", 2, 0.0, "false"),
        ("net", 0, "home", "e", 1, math.nan, "absent"),
        ("net", 0, "home", "e", 2, math.nan, "absent"),
    ]
)


def test_absent_classes_are_left_out_and_counted() -> None:
    summary = summarise(TABLE, metrics=["dice"]).set_index("class_name")
    wanted = {
        "class_1": (4, 1, 1, 0, (0.8 + 0.9 + 0.0 + 0.7) / 4),
        "class_2": (3, 2, 0, 1, (0.4 + 0.6 + 0.0) / 3),
        "all": (4, 1, 1, 1, (0.6 + 0.9 + 0.3 + 0.35) / 4),
    }
    for name, (*counts, mean) in wanted.items():
        row = summary.loc[name]
        assert [row["n_cases"], row["n_absent"], row["n_missed"], row["n_false"]] == counts
        assert row["mean"] == pytest.approx(mean)
        assert row["low"] <= mean <= row["high"]
    assert summary.loc["all", "class_id"] == -1
    # Groups hold two cases: a b, c d, e; the last one says nothing.
    assert summary["n_groups"].tolist() == [2, 2, 2]


def test_the_columns_are_the_documented_ones() -> None:
    assert list(summarise(TABLE).columns) == list(SUMMARY_COLUMNS)


def test_one_row_an_arm_domain_class_and_metric_in_the_order_of_the_scores() -> None:
    summary = summarise(drawn_scores())
    assert len(summary) == 3 * 2 * 2 * (len(METRICS) - 1)
    assert list(dict.fromkeys(summary["arm"])) == ["baseline", "duplicate", "s2s2"]
    assert list(dict.fromkeys(summary["domain"])) == ["home", "away"]
    assert (summary["n_seeds"] == 2).all()
    assert (summary["n_cases"] == 12).all()


def test_scores_of_one_run_need_no_arm() -> None:
    summary = summarise(TABLE.drop(columns=["arm", "seed"]), metrics=["dice"])
    assert summary["arm"].tolist() == ["", "", ""]
    assert summary["mean"].tolist() == summarise(TABLE, metrics=["dice"])["mean"].tolist()


def test_the_order_of_the_rows_does_not_matter() -> None:
    scores = drawn_scores(domains=("home",))
    shuffled = scores.sample(frac=1, random_state=0)
    first, second = (
        summarise(table, metrics=["dice"]).sort_values(["arm", "class_id"]) for table in (scores, shuffled)
    )
    np.testing.assert_allclose(first["mean"], second["mean"])
    np.testing.assert_allclose(first["low"], second["low"])


def test_ids_that_were_read_as_numbers_still_join() -> None:
    scores = TABLE.assign(case=[ord(case) for case in TABLE["case"]])
    assert (
        summarise(scores, metrics=["dice"])["mean"].tolist()
        == summarise(TABLE, metrics=["dice"])["mean"].tolist()
    )


def test_metrics_that_were_not_measured_are_nan() -> None:
    row = summarise(TABLE.assign(hd95=math.nan), metrics=["hd95"]).iloc[-1]
    assert math.isnan(row["mean"])
    assert row["n_cases"] == 0


def test_metrics_without_any_value_are_left_out_unless_they_are_asked_for() -> None:
    flat = set(summarise(TABLE)["metric"])
    assert flat == set(METRICS) - {"volume_error_ml"}
    assert "volume_error_ml" in set(summarise(TABLE.assign(volume_error_ml=0.5))["metric"])
    assert set(summarise(TABLE.assign(hd95=math.nan))["metric"]) == flat - {"hd95"}


def test_where_every_class_is_absent_the_cases_are_still_counted() -> None:
    absent = TABLE[TABLE["case"] == "e"]
    row = summarise(absent).set_index(["class_name", "metric"]).loc[("all", "dice")]
    assert [row["n_cases"], row["n_absent"]] == [0, 1]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda table: table.drop(columns="group"), r"lacks the column\(s\) group; it has arm"),
        (lambda table: table.iloc[:0], "has no row"),
        (lambda table: table.iloc[[0, 0]], "case 'a' of domain 'home', class 1, more than once"),
    ],
)
def test_tables_that_cannot_be_read_are_refused(spoil, message: str) -> None:
    with pytest.raises(EvaluationError, match=message):
        summarise(spoil(TABLE), metrics=["dice"])


@pytest.mark.parametrize("metrics", [["dice", "rmse"], []])
def test_unknown_metrics_are_refused(metrics: list[str]) -> None:
    with pytest.raises(EvaluationError, match=r"The metrics hold (rmse|none); known are dice, iou"):
        summarise(TABLE, metrics=metrics)
