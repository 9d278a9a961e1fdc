"""Predictions, their scores, and what the scores say: with intervals, case against case."""

from typing import TYPE_CHECKING

from s2s2.core.lazy import exported

if TYPE_CHECKING:
    from s2s2.evaluation.folder import PredictionFolder as PredictionFolder
    from s2s2.evaluation.predict import PredictReport as PredictReport
    from s2s2.evaluation.summary import summarise as summarise
    from s2s2.evaluation.tables import (
        COMPARISON_COLUMNS as COMPARISON_COLUMNS,
        SUMMARY_COLUMNS as SUMMARY_COLUMNS,
        read_scores as read_scores,
        score_columns as score_columns,
    )
else:
    __getattr__, __dir__ = exported(__name__)
