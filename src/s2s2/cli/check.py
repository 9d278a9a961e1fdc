"""`s2s2 check`: defects of a data set."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass

from s2s2.cli.command import Command
from s2s2.run.options import DataOptions


@dataclass(frozen=True, kw_only=True)
class Options(Command, DataOptions):
    """Read every file of a data set and report all that is wrong in one pass.

    Reported are files that cannot be read, images without a mask and masks without an image, sizes that
    differ, unknown label values, soft masks, blank masks, constant images, and exact duplicates across
    groups or splits. The exit code is 2 when something would break a training.

    Args:
        json: Print the findings as JSON.
    """

    words = ("data",)

    json: bool = False


def main(options: Options) -> int:
    """Report everything that is wrong with a data set in one pass."""
    from rich.console import Console

    from s2s2.cli.console import TerminalReporter
    from s2s2.data.checking.inspection import inspect
    from s2s2.data.classes import read_class_map

    with TerminalReporter() as reporter:
        update = reporter.task("reading")
        findings = inspect(
            options.data,
            class_map=read_class_map(options.classes),
            groups=options.groups,
            channels=options.channels,
            dataset=options.dataset_of(),
            progress=lambda done, total: update(done, total, f"{done} of {total} files"),
        )
    if options.json:
        sys.stdout.write(json.dumps(findings.to_dict(), indent=1) + "\n")
    else:
        findings.render(Console())
    return 0 if findings.ok else 2
