"""Predictions, their scores, and what the scores say: with intervals, case against case."""

from s2s2.evaluation.columns import COMPARISON_COLUMNS, METRICS, SCORE_COLUMNS, SUMMARY_COLUMNS, Metric
from s2s2.evaluation.compare import compare, holm, signed_rank
from s2s2.evaluation.folder import PredictionFolder
from s2s2.evaluation.overlays import draw_overlay
from s2s2.evaluation.predict import PredictReport, predict
from s2s2.evaluation.score import score
from s2s2.evaluation.summary import summarise
from s2s2.evaluation.tables import read_scores
from s2s2.statistics import ClusterBootstrap, Interval

__all__ = [
    "COMPARISON_COLUMNS",
    "METRICS",
    "SCORE_COLUMNS",
    "SUMMARY_COLUMNS",
    "ClusterBootstrap",
    "Interval",
    "Metric",
    "PredictReport",
    "PredictionFolder",
    "compare",
    "draw_overlay",
    "holm",
    "predict",
    "read_scores",
    "score",
    "signed_rank",
    "summarise",
]
