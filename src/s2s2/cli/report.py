"""`s2s2 report`: the page of a finished run."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from s2s2.cli.command import Command
from s2s2.run.options import Trusting


@dataclass(frozen=True, kw_only=True)
class Options(Command, Trusting):
    """Write the page of a finished run once more, from its tables, predictions and stack.

    Args:
        run: Folder of `s2s2 run` or `s2s2 demo`.
    """

    words = ("run",)

    run: Path


def main(options: Options) -> int:
    """Write the report of a run once more."""
    from s2s2.report import build_report
    from s2s2.run.folder import RunFolder
    from s2s2.run.whole import require_whole_run

    folder = RunFolder.finished(options.run)
    require_whole_run(folder)
    page = build_report(folder)
    sys.stdout.write(f"Report: {page.resolve()}\n")
    return 0
