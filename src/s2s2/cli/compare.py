"""`s2s2 compare`."""

from __future__ import annotations

from pathlib import Path

from s2s2.cli.options import new_parser


def main(arguments: list[str]) -> int:
    """Compare arms on the same cases."""
    parser = new_parser(
        "compare",
        "SCORES [SCORES ...] [--baseline ARM] [--output comparisons.csv]",
        "Paired differences between arms on the same cases, with 95% intervals from a bootstrap over groups "
        "(and over seeds where there are several), Wilcoxon's signed-rank test, and Holm's correction over "
        "domains and metrics. The files come from `s2s2 evaluate` or from a run.",
    )
    parser.add_argument("scores", type=Path, nargs="+", help="CSV files with the columns arm and seed.")
    parser.add_argument(
        "--baseline", type=str, default="baseline", help="Arm that the others are set against."
    )
    parser.add_argument(
        "--metrics", type=str, nargs="+", default=["dice", "hd95", "nsd"], help="Columns to compare."
    )
    parser.add_argument("--output", type=Path, help="CSV file to write.")
    options = parser.parse_args(arguments)

    import pandas as pd

    from s2s2.cli.tables import print_comparisons
    from s2s2.core.tables import write_table
    from s2s2.evaluation import read_scores
    from s2s2.evaluation.compare import compare

    scores = pd.concat([read_scores(path) for path in options.scores], ignore_index=True)
    table = compare(scores, baseline=options.baseline, metrics=tuple(options.metrics))
    if options.output:
        write_table(table, options.output)
    print_comparisons(table)
    return 0
