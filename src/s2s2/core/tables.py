"""CSV files: tables that users give, and tables that the package writes and reads back."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s2s2.core.storage import atomic
from s2s2.errors import DataError, S2S2Error

_FORMULA = re.compile("'*[=+@\t\r-]")
"""The beginning of what a spreadsheet takes for a formula, or of such a text with apostrophes in front."""

if TYPE_CHECKING:
    import pandas as pd


def write_table(table: pd.DataFrame, path: str | Path, *, float_format: str | None = None) -> None:
    """Write a table as CSV, whole or not at all; NaN is an empty cell.

    Args:
        table: What to write, without its index.
        path: Final name of the file.
        float_format: As `%.6g`; None writes all digits.

    Raises:
        StorageError: If the file cannot be written.
    """
    import pandas as pd

    with atomic(path) as temporary:
        safe = {
            str(name): pd.Series([to_cell(each) for each in column], table.index, object)
            for name, column in table.items()
            if column.dtype.kind == "O"
        }
        table.assign(**safe).to_csv(temporary, index=False, float_format=float_format)


def write_rows(rows: Iterable[Mapping[str, Any]], path: str | Path, columns: Sequence[str]) -> None:
    """Write rows as CSV with these columns, whole or not at all; NaN is `nan`.

    Args:
        rows: Values by column; others are left out.
        path: Final name of the file.
        columns: Their names, in order.

    Raises:
        StorageError: If the file cannot be written.
    """
    with atomic(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows({name: to_cell(value) for name, value in row.items()} for row in rows)


def to_cell(value: Any) -> Any:
    """Return a text so that no spreadsheet takes it for a formula: then with an apostrophe in front.

    Example:
        >>> to_cell("=1+1"), to_cell("case_1"), to_cell("-0.5"), to_cell(2)
        ("'=1+1", 'case_1', '-0.5', 2)
    """
    if not isinstance(value, str) or not _FORMULA.match(value):
        return value
    try:
        float(value)
    except ValueError:
        return f"'{value}"
    return value


def from_cell(value: Any) -> Any:
    """Return the text that `to_cell` was given.

    Example:
        >>> from_cell("'=1+1"), from_cell("'quoted'"), from_cell(to_cell("'=1"))
        ('=1+1', "'quoted'", "'=1")
    """
    return value[1:] if isinstance(value, str) and value[:1] == "'" and _FORMULA.match(value) else value


def read_frame(
    path: str | Path, texts: Collection[str], *, error: type[S2S2Error] = DataError, advice: str = ""
) -> pd.DataFrame:
    """Read a table that `write_table` or `write_rows` wrote.

    Columns of text stay text: case 001 stays 001, a class NA stays NA, and an empty cell is
    an empty text. In all other columns an empty cell and `nan` are NaN.

    Args:
        path: The file.
        texts: Columns of text; those that the file lacks do not matter.
        error: Class of the error to raise.
        advice: What to do if it cannot be read, as sentences.

    Raises:
        S2S2Error: Of the class `error`, if the file is missing or no table.
    """
    import pandas as pd

    try:
        columns = pd.read_csv(path, nrows=0).columns
        frame = pd.read_csv(
            path,
            dtype={name: str for name in columns if name in texts},
            keep_default_na=False,
            na_values={name: ["", "nan"] for name in columns if name not in texts},
        )
        return frame.assign(**{name: frame[name].map(from_cell) for name in columns if name in texts})
    except (OSError, ValueError) as cause:
        raise error(f"{path} cannot be read as a table ({str(cause).strip()}). {advice}".rstrip()) from cause


def read_table(path: Path, needed: tuple[str, ...]) -> list[dict[str, str]]:
    """Read a CSV file that a user wrote, with a header line; cells and column names are stripped.

    Cells are separated by commas, semicolons or tabs, whichever the header line has most of.

    Args:
        path: The file: UTF-8, or UTF-16 with a byte order mark.
        needed: Columns that must be there.

    Raises:
        DataError: If the file cannot be read, lacks a column or has uneven rows.
    """
    lines = io.StringIO(_text(path), newline=None).readlines()
    first = lines[0] if lines else ""
    delimiter = max(",;\t", key=first.count)
    try:
        rows = [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=delimiter)]
    except csv.Error as error:
        raise DataError(f"{path} cannot be read as CSV ({error}). Save it as CSV in UTF-8.") from error
    columns = [name.lower() for name in rows[0]] if rows else []
    missing = [name for name in needed if name not in columns]
    if missing or len(set(columns)) != len(columns):
        raise DataError(
            f"{path} has the columns {', '.join(columns) or 'none'}, expected {', '.join(needed)} each once. "
            "Write the names of the columns into the first line."
        )
    table = []
    for number, row in enumerate(rows[1:], start=2):
        if not any(row):
            continue
        if len(row) != len(columns):
            raise DataError(
                f"{path}, line {number} has {len(row)} cells, expected {len(columns)}. Fix this line."
            )
        table.append(dict(zip(columns, row, strict=True)))
    return table


def _text(path: Path) -> str:
    """Return the text of a file that a user wrote, as a spreadsheet or editor saves it."""
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise DataError(f"There is no file {path}. Check the path.") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error}). Check the path.") from error
    wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = content.decode("utf-16" if wide else "utf-8-sig")
        if "\0" in text:
            raise ValueError("it holds characters of value 0")
    except ValueError as error:
        raise DataError(
            f"{path} cannot be read as UTF-8 text ({error}): it is in another encoding, as Windows-1252. "
            "Open it in an editor or a spreadsheet and save it as CSV in UTF-8."
        ) from error
    return text
