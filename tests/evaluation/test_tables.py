from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from s2s2.core.tables import write_table
from s2s2.errors import EvaluationError
from s2s2.evaluation import read_scores
from tests.evaluation.drawn_scores import table_of

NAN = float("nan")


def test_ids_and_names_come_back_as_they_were(tmp_path: Path) -> None:
    scores = table_of(
        [
            ("net", 0, "NA", "001", 1, 0.123456789012345, "scored"),
            ("net", 0, "NA", "1", 1, NAN, "absent"),
            ("net", 0, "NA", "None", 1, 0.5, "scored"),
        ]
    ).assign(class_name="null")
    write_table(scores, tmp_path / "deep" / "scores.csv")
    back = read_scores(tmp_path / "deep" / "scores.csv")
    pd.testing.assert_frame_equal(back, scores, check_dtype=False)
    assert back["case"].tolist() == ["001", "1", "None"]
    assert back["dice"].isna().tolist() == [False, True, False]


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match=r"scores\.csv cannot be read as a table"):
        read_scores(tmp_path / "scores.csv")


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "scores.csv").write_text("")
    with pytest.raises(EvaluationError, match="cannot be read as a table"):
        read_scores(tmp_path / "scores.csv")


def test_another_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "scores.csv").write_text("a,b\n1,2\n")
    with pytest.raises(EvaluationError, match=r"lacks the column\(s\) case, group"):
        read_scores(tmp_path / "scores.csv")
