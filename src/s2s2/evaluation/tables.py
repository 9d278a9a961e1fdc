"""Score tables as CSV files that come back as they were."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from s2s2.core.tables import read_frame
from s2s2.errors import EvaluationError
from s2s2.evaluation.columns import SCORE_COLUMNS, require_columns

if TYPE_CHECKING:
    import pandas as pd

TEXTS = ("arm", "case", "group", "domain", "class_name", "unit", "status")
"""The columns of text."""


def read_scores(path: str | Path) -> pd.DataFrame:
    """Read a table of scores with its types: case 001 stays 001, a class NA stays NA.

    Args:
        path: A CSV file of scores.

    Returns:
        One row a case and class; see `SCORE_COLUMNS`.

    Raises:
        EvaluationError: If the file is missing, cannot be read or lacks a column.
    """
    advice = "Give a table of scores, as `s2s2 evaluate` writes it."
    table = read_frame(path, TEXTS, error=EvaluationError, advice=advice)
    require_columns(table, SCORE_COLUMNS)
    return table
