"""Options that several commands share, and how parsers are made."""

from __future__ import annotations

import shutil
import textwrap
from argparse import RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any

from jsonargparse import ArgumentParser, DefaultHelpFormatter, Namespace


class _Help(RawDescriptionHelpFormatter, DefaultHelpFormatter):
    """Leaves description and epilogue as they are set."""


def new_parser(command: str, usage: str, description: str, epilog: str = "") -> ArgumentParser:
    """Return the parser of a command, with `--config` for a YAML file of its options."""
    parser = ArgumentParser(
        prog=f"s2s2 {command}",
        usage=f"s2s2 {command} {usage}",
        description=textwrap.fill(description, help_width()),
        epilog=epilog,
        formatter_class=_Help,
    )
    parser.add_argument("--config", action="config", help="YAML file of options; later options win.")
    return parser


def help_width() -> int:
    """Return how many characters a line of help takes."""
    return min(shutil.get_terminal_size().columns, 110) - 2


def add_data_options(parser: ArgumentParser) -> None:
    """Add how a data set is read."""
    parser.add_argument(
        "--classes",
        nargs="+",
        type=str,
        help="Class map: `background=0 polyp=255`, or a classes.json. Default: inferred from the masks.",
    )
    parser.add_argument(
        "--groups",
        type=str,
        help="CSV file (case,group), or a regular expression whose first bracket is the group in a case "
        "id, like '(patient\\d+)_.*'. Default: groups.csv beside the images; else each case is a group.",
    )
    parser.add_argument(
        "--channels",
        type=int,
        help="1 or 3 to read every image as grey or as RGB. Default: as the files are.",
    )


def open_dataset(options: Namespace, path: Path, **more: Any) -> Any:
    """Open a data set by the options of `add_data_options`."""
    from s2s2.data.classes import read_class_map
    from s2s2.data.dataset import Dataset

    return Dataset.open(
        path,
        class_map=more.pop("class_map", None) or read_class_map(options.classes),
        groups=options.groups,
        channels=more.pop("channels", None) or options.channels,
        **more,
    )
