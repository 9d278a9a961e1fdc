from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from s2s2.core.tables import read_frame, read_table, write_rows, write_table
from s2s2.errors import DataError, EvaluationError

NAMES = ["NA", "001", "None", "nan", "", "a,b", 'say "x"']


def test_text_comes_back_as_text_and_an_empty_number_as_nan(tmp_path: Path) -> None:
    table = pd.DataFrame({"case": NAMES, "value": [0.123456789012345, float("nan"), 1, 2, 3, 4, 5]})
    write_table(table, tmp_path / "deep" / "table.csv")
    back = read_frame(tmp_path / "deep" / "table.csv", ("case", "group"))
    assert back["case"].tolist() == NAMES
    pd.testing.assert_series_equal(back["value"], table["value"])


def test_rows_come_back(tmp_path: Path) -> None:
    rows = [{"step": 1, "loss": 0.5, "more": 1}, {"step": 2, "loss": float("nan")}]
    write_rows(rows, tmp_path / "history.csv", ("step", "loss"))
    assert (tmp_path / "history.csv").read_bytes() == b"step,loss\r\n1,0.5\r\n2,nan\r\n"
    back = read_frame(tmp_path / "history.csv", ())
    assert (back["step"].tolist(), back["loss"].isna().tolist()) == ([1, 2], [False, True])


def test_digits_can_be_limited(tmp_path: Path) -> None:
    write_table(pd.DataFrame({"a": [1 / 3]}), tmp_path / "a.csv", float_format="%.6g")
    assert (tmp_path / "a.csv").read_text() == "a\n0.333333\n"


@pytest.mark.parametrize("content", [None, b"", b"a,b\n1,2,3\n4,5,6,7\n", b"\xff\xfe\x00"])
def test_what_is_no_table_is_named(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(EvaluationError, match=r"a\.csv cannot be read as a table \(.*\)\. Score again\."):
        read_frame(tmp_path / "a.csv", (), error=EvaluationError, advice="Score again.")


def test_an_uneven_row_of_a_user_is_named(tmp_path: Path) -> None:
    (tmp_path / "groups.csv").write_text("Case; Group\na; 1\n\nb\n")
    with pytest.raises(DataError, match=r"groups\.csv, line 4 has 1 cells, expected 2\. Fix this line\."):
        read_table(tmp_path / "groups.csv", ("case", "group"))
    (tmp_path / "groups.csv").write_text("Case; Group\na; 1\n")
    assert read_table(tmp_path / "groups.csv", ("case", "group")) == [{"case": "a", "group": "1"}]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_table_is_read_in_the_encodings_that_name_themselves(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "groups.csv").write_bytes("case,group\r\né,病人\r\n".encode(encoding))
    assert read_table(tmp_path / "groups.csv", ("case",)) == [{"case": "é", "group": "病人"}]


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "utf-16-le", "shift-jis"])
def test_a_table_in_another_encoding_is_refused_with_the_cure(tmp_path: Path, encoding: str) -> None:
    word = "病" if encoding == "shift-jis" else "é"
    (tmp_path / "groups.csv").write_bytes(f"case,group\n{word},1\n".encode(encoding))
    with pytest.raises(DataError, match=r"groups\.csv cannot be read as UTF-8 text .*save it as CSV"):
        read_table(tmp_path / "groups.csv", ("case",))


def test_a_cell_beyond_measure_is_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "groups.csv").write_text(f"case\n{'x' * 200_000}\n")
    with pytest.raises(DataError, match=r"groups\.csv cannot be read as CSV \(field larger"):
        read_table(tmp_path / "groups.csv", ("case",))


def test_no_text_is_a_formula_and_every_text_comes_back(tmp_path: Path) -> None:
    texts = ["=1+1", "+a", "-a", "@a", "'=a", "'a", "plain", "-0.5", ""]
    file = tmp_path / "scores.csv"
    frame = pd.DataFrame({"case": texts, "dice": -0.5})
    for write in (
        lambda: write_table(frame, file),
        lambda: write_rows(frame.to_dict("records"), file, ["case", "dice"]),
    ):
        write()
        cells = [line.rpartition(",")[0] for line in file.read_text().splitlines()[1:]]
        assert cells == ["'=1+1", "'+a", "'-a", "'@a", "''=a", "'a", "plain", "-0.5", ""]
        assert list(read_frame(file, ["case"])["case"]) == texts
