"""CSV files as rows of texts."""

from __future__ import annotations

import csv
from pathlib import Path

from s2s2.errors import DataError


def read_table(path: Path, needed: tuple[str, ...]) -> list[dict[str, str]]:
    """Read a CSV file with a header line; cells and column names are stripped.

    Commas, semicolons and tabs part the cells, whichever the header line has most of.

    Args:
        path: The file, UTF-8.
        needed: Columns that must be there.

    Raises:
        DataError: If the file cannot be read, lacks a column or has uneven rows.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise DataError(f"There is no file {path}. Check the path.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read as UTF-8 text ({error}). Save it as CSV in UTF-8.") from error
    lines = text.splitlines()
    first = lines[0] if lines else ""
    delimiter = max(",;\t", key=first.count)
    rows = [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=delimiter)]
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
                f"{path}, line {number} has {len(row)} cells, expected {len(columns)}. Mend this line."
            )
        table.append(dict(zip(columns, row, strict=True)))
    return table
