"""`s2s2 datasets`: public data sets that are read as they are distributed."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from s2s2.cli.command import Command
from s2s2.errors import ConfigError

if TYPE_CHECKING:
    from s2s2.data.catalogue.info import DatasetInfo


@dataclass(frozen=True, kw_only=True)
class Options(Command):
    """List the public data sets that s2s2 knows, or say all about one of them.

    Known are what each is, its licence, where to get it, how its files lie, its classes, its groups and the
    prompt for a text-to-image generator. Nothing is downloaded. With `--dataset NAME` the other commands read
    a folder that lies in this way. Data sets whose masks are not one file an image are written as images/ and
    masks/ once, with --data and --output.

    Args:
        name: The data set to describe. Without it, all are listed.
        data: Folder of the data set, as it is distributed.
        output: New folder with images/, masks/, groups.csv and classes.json that is written from it.
        json: Print the descriptions as JSON.
    """

    words = ("name",)

    name: str | None = None
    data: Path | None = None
    output: Path | None = None
    json: bool = False

    def __post_init__(self) -> None:
        """Refuse what says only half of what is to be written."""
        if (self.data is None) != (self.output is None) or (self.data is not None and self.name is None):
            raise ConfigError(
                "To write a data set as images/ and masks/, give its name, --data and --output: `s2s2 "
                "datasets NAME --data FOLDER --output NEW_FOLDER`. To read about one, give its name alone."
            )


def main(options: Options) -> int:
    """List data sets, describe one, or write one as images/ and masks/."""
    from s2s2.data.catalogue.info import describe_dataset, known_datasets

    names = known_datasets() if options.name is None else (options.name.partition("/")[0],)
    infos = [describe_dataset(name) for name in names]
    if options.data is not None and options.output is not None:
        return _convert(options.name or "", options.data, options.output)
    if options.json:
        content = [asdict(info) for info in infos]
        text = json.dumps(content if options.name is None else content[0], indent=1, ensure_ascii=False)
        sys.stdout.write(text + "\n")
    elif options.name is None:
        _list(infos)
    else:
        _describe(infos[0])
    return 0


def _convert(name: str, data: Path, output: Path) -> int:
    from s2s2.cli.console import TerminalReporter
    from s2s2.core.progress import counting
    from s2s2.data.catalogue.convert import convert
    from s2s2.data.catalogue.locate import Selection

    with TerminalReporter() as reporter:
        count, problems = convert(
            Selection.parse(name), data, output, progress=counting(reporter.task("write"), "cases")
        )
    for problem in problems:
        sys.stderr.write(f"s2s2: {problem}\n")
    sys.stdout.write(f"{count} cases: {output}\nNext: s2s2 check {output}\n")
    return 0


def _list(infos: list[DatasetInfo]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("name", "modality", "cases", "licence", "read")
    for info in infos:
        cells = (info.name, info.modality, info.cases, info.licence, info.read)
        table.add_row(*map(Text, cells))
    console = Console()
    console.print(table)
    console.print("`s2s2 datasets NAME` says what it is, where to get it and how it must lie.", markup=False)


def _describe(info: DatasetInfo) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(info.title, "bold"), title_justify="left", show_header=False, box=None)
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for name, text in _facts(info):
        table.add_row(name, Text(text))
    Console().print(table)


def _facts(info: DatasetInfo) -> Iterator[tuple[str, str]]:
    from s2s2.data.catalogue.tree import layout_tree

    yield "what", info.what
    yield "modality", info.modality
    yield "cases", info.cases
    yield "licence", info.licence
    yield "get it", info.page
    yield "cite", info.citation
    yield "must lie", "\n".join(layout_tree(info))
    yield "classes", ", ".join(f"{name} = {values}" for name, values in info.classes.items())
    yield "groups", info.groups
    if info.domains:
        yield "domains", "\n".join(f"{name}: {what}" for name, what in info.domains.items())
    if info.window is not None:
        yield "window", "{0:g} to {1:g} Hounsfield units: --volumes.window {0:g} {1:g}".format(*info.window)
    yield "prompt", "\n".join(dict.fromkeys(f"{text} showing ..." for text in info.prompts.values()))
    if info.notes:
        yield "notes", "\n".join(info.notes)
    yield "use it", info.usage
