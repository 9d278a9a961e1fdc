"""`s2s2 export`: a stack as training cases of nnU-Net."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from s2s2.cli.command import Command
from s2s2.run.options import DataOptions, SplitFile, Written


@dataclass(frozen=True, kw_only=True)
class Options(Command, Written, SplitFile, DataOptions):
    """Write a stack as training cases of nnU-Net, beside the real ones.

    imagesTr and labelsTr get the training cases, their copies and the validation cases, imagesTs and
    labelsTs the test cases. splits_final.json has one fold, in which no copy is validated on. An interrupted
    export goes on where it stopped.

    Args:
        format: nnunet is the only one.
        stack: Folder of the stack.
        output: New folder, named as nnU-Net wants it, such as nnUNet_raw/Dataset002_Heart.
        copies: Copies of each case. Without it, all that the stack has.
    """

    words = ("format", "stack", "data")

    format: Literal["nnunet"]
    stack: Path
    copies: int | None = None


def main(options: Options) -> int:
    """Write real cases and copies as a raw data set of nnU-Net."""
    from s2s2.cli.console import TerminalReporter
    from s2s2.core.progress import counting
    from s2s2.stack.nnunet import export_nnunet
    from s2s2.stack.store import Stack

    stack = Stack.open(options.stack)
    dataset = options.read(options.data, size=stack.size, channels=stack.channels)
    split = options.training_split(dataset)
    with TerminalReporter() as reporter:
        update = counting(reporter.task("export"), "cases")
        made = export_nnunet(stack, dataset, split, options.output, copies=options.copies, progress=update)
    if made.real_slices:
        sys.stdout.write(
            f"{made.real_slices} of {made.slices} slices in the copies are real ones: the stack has no "
            "copy of them.\n"
        )
    sys.stdout.write(
        f"{made.train} training cases, {made.copies} copies, {made.validation} validation, {made.test} test: "
        f"{options.output}\nNext: nnUNetv2_plan_and_preprocess -d {made.number} -c 2d "
        f"--verify_dataset_integrity, then nnUNetv2_train {made.number} 2d 0\n"
    )
    return 0
