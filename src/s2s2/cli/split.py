"""`s2s2 split`: train, validation and test cases."""

from __future__ import annotations

from dataclasses import dataclass

from s2s2.cli.options import Command
from s2s2.run.config import Division
from s2s2.run.options import DataOptions, Written


@dataclass(frozen=True, kw_only=True)
class Options(Command, Division, Written, DataOptions):
    """Divide cases into train, validation and test.

    No group (patient, video) is in two of them, and the sizes of the labelled regions are spread evenly.

    Args:
        output: JSON file that is written, such as split.json.
    """

    words = ("data",)


def main(options: Options) -> int:
    """Divide the cases of a data set and save their ids."""
    from rich.console import Console

    from s2s2.data.split import split_by_group

    dataset = options.read(options.data)
    if options.counts:
        split = split_by_group(dataset, counts=options.counts, seed=options.seed)
    else:
        split = split_by_group(dataset, fractions=options.fractions, seed=options.seed)
    split.save(options.output)
    sizes = ", ".join(f"{len(getattr(split, part))} {part}" for part in ("train", "validation", "test"))
    Console().print(f"{sizes}: {options.output}")
    return 0
