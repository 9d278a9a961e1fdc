"""`s2s2 compare`: paired differences between arms."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from s2s2.arms import REFERENCE
from s2s2.cli.command import Command


@dataclass(frozen=True, kw_only=True)
class Options(Command):
    """Compute paired differences between arms on the same cases.

    They come with 95% intervals from a bootstrap over groups (and over seeds where there are several),
    Wilcoxon's signed-rank test, and Holm's correction over domains and metrics.

    Args:
        scores: CSV files from `s2s2 evaluate` or from a run.
        baseline: Arm that the others are compared with.
        metrics: Columns that are compared, such as dice. Without it, those that a run compares.
        output: CSV file that is written. Without it, the table is only printed.
    """

    words = ("scores",)

    scores: tuple[Path, ...]
    baseline: str = REFERENCE
    metrics: tuple[str, ...] | None = None
    output: Path | None = None


def main(options: Options) -> int:
    """Compare arms on the same cases."""
    import pandas as pd

    from s2s2.cli.tables import print_comparisons
    from s2s2.core.tables import write_table
    from s2s2.evaluation.compare import compare
    from s2s2.evaluation.tables import read_scores

    scores = pd.concat([read_scores(path) for path in options.scores], ignore_index=True)
    table = compare(scores, baseline=options.baseline, metrics=options.metrics)
    if options.output:
        write_table(table, options.output)
    print_comparisons(table)
    return 0
