"""`s2s2 check`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from rich.console import Console

from s2s2.cli.console import TerminalReporter
from s2s2.cli.options import add_data_options, new_parser


def main(arguments: list[str]) -> int:
    """Report everything that is wrong with a data set in one pass."""
    parser = new_parser(
        "check",
        "DATA [--json] [options]",
        "Look at every file of a data set and report, in one pass: files that cannot be read, images without "
        "a mask and the reverse, sizes that differ, unknown label values, soft masks, blank masks, constant "
        "images, exact duplicates across groups or splits. Exit code 2 when something would break training.",
    )
    parser.add_argument(
        "data", type=Path, help="Folder (images/ and masks/, or image/ and masks/) or CSV manifest."
    )
    parser.add_argument("--json", action="store_true", help="Print the findings as JSON.")
    add_data_options(parser)
    options = parser.parse_args(arguments)

    from s2s2.data.checking.inspection import inspect
    from s2s2.data.classes import read_class_map

    with TerminalReporter() as reporter:
        update = reporter.task("reading")
        findings = inspect(
            options.data,
            class_map=read_class_map(options.classes),
            groups=options.groups,
            channels=options.channels,
            progress=lambda done, total: update(done, total, f"{done} of {total} files"),
        )
    if options.json:
        sys.stdout.write(json.dumps(findings.to_dict(), indent=1) + "\n")
    else:
        findings.render(Console())
    return 0 if findings.ok else 2
