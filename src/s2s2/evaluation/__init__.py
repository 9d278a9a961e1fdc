"""Predictions, their scores, and what the scores say: with intervals, case against case."""

from s2s2.evaluation.compare import compare
from s2s2.evaluation.folder import PredictionFolder
from s2s2.evaluation.predict import PredictReport, predict
from s2s2.evaluation.score import score
from s2s2.evaluation.summary import summarise
from s2s2.evaluation.tables import COMPARISON_COLUMNS, SUMMARY_COLUMNS, read_scores, score_columns

__all__ = [
    "COMPARISON_COLUMNS",
    "SUMMARY_COLUMNS",
    "PredictReport",
    "PredictionFolder",
    "compare",
    "predict",
    "read_scores",
    "score",
    "score_columns",
    "summarise",
]
