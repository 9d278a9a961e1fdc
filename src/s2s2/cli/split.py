"""`s2s2 split`: train, validation and test cases."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from s2s2.cli.command import Command
from s2s2.run.config import Division
from s2s2.run.options import DataOptions, Written


@dataclass(frozen=True, kw_only=True)
class Options(Command, Division, Written, DataOptions):
    """Divide cases into train, validation and test.

    No group (patient, video) is in two of them, and the sizes of the labelled regions are spread evenly.
    A manifest with a column split is divided as it says; fractions, counts and seed are then not used. With
    --nnunet, a fold of nnU-Net says which cases are in which part.

    Args:
        output: JSON file that is written, such as split.json.
    """

    words = ("data",)


def main(options: Options) -> int:
    """Divide the cases of a data set and save their ids."""
    from rich.console import Console

    from s2s2.data.foreground import absent_classes
    from s2s2.data.reading.manifest import PARTS

    dataset = options.read(options.data)
    split = options.divide(dataset)
    split.save(options.output)
    sizes = ", ".join(f"{len(getattr(split, part))} {part}" for part in PARTS)
    said = f" {fold}" if (fold := options.fold_of(dataset)) else ""
    if not said and dataset.declared_split is not None:
        said = " as the column split declares"
    for part in PARTS:
        for sentence in absent_classes(dataset.subset(getattr(split, part)), part):
            sys.stderr.write(f"s2s2: {sentence}\n")
    Console().print(f"{sizes}{said}: {options.output}", soft_wrap=True)
    return 0
