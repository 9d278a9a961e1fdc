"""`s2s2 report`."""

from __future__ import annotations

import sys
from pathlib import Path

from s2s2.cli.options import new_parser


def main(arguments: list[str]) -> int:
    """Draw the report of a run again."""
    parser = new_parser(
        "report", "RUN", "Draw the page of a finished run again, from its tables, predictions and stack."
    )
    parser.add_argument("run", type=Path, help="Folder of `s2s2 run` or `s2s2 demo`.")
    options = parser.parse_args(arguments)

    from s2s2.pipeline import Run, load_config

    page = Run(load_config(options.run)).redraw()
    sys.stdout.write(f"Report: {page.resolve()}\n")
    return 0
