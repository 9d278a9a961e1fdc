"""`s2s2 run`."""

from __future__ import annotations

import shlex
import sys
from dataclasses import replace
from pathlib import Path

from jsonargparse import ArgumentParser
from rich.console import Console

from s2s2.cli.console import TerminalReporter
from s2s2.cli.options import add_data_options, help_width, new_parser
from s2s2.run.config import RunConfig, SplitConfig, StackConfig


def main(arguments: list[str]) -> int:
    """Run the whole path on folders of the user's own."""
    parser = _parser()
    options = parser.instantiate(parser.parse_args(arguments))
    fields = {
        name: getattr(options, name) for name in RunConfig.__dataclass_fields__ if hasattr(options, name)
    }
    for name in ("target", "arms", "classes"):
        fields[name] = tuple(fields[name]) if fields[name] is not None else None
    if options.generator is not None:
        fields["stack"] = replace(options.stack, generator=options.generator)
    return execute(RunConfig(**fields), arguments, dry_run=options.dry_run)


def execute(config: RunConfig, arguments: list[str], *, dry_run: bool = False, command: str = "run") -> int:
    """Run, or say what would be done, and print where the report lies."""
    from s2s2.pipeline.estimate import estimate
    from s2s2.pipeline.run import Run

    if dry_run:
        Console().print(estimate(config))
        return 0
    with TerminalReporter() as reporter:
        words = " ".join(["s2s2", command, *map(shlex.quote, arguments)])
        page = Run(config, reporter, words).execute()
    sys.stdout.write(f"\nReport: {page.resolve()}\n")
    return 0


def _parser() -> ArgumentParser:
    from s2s2.arms import ARMS
    from s2s2.audit import AuditConfig
    from s2s2.generators.help import choice_of_generators
    from s2s2.networks.config import NetworkConfig
    from s2s2.training.config import TrainConfig

    parser = new_parser(
        "run",
        "--data HOME --output RUN [--target AWAY ...] [options]",
        "The whole path: check the data, split the home cases by group, make the stack, train every arm with "
        "every seed, predict, score and compare at home and away, and draw the report. A stage that is done "
        "and whole is skipped, so an interrupted run goes on when the same command is given again. A data "
        "set is a folder with images/ and masks/ (same file stem), or a CSV manifest.",
        choice_of_generators(help_width()) + "\n\nSeveral in one run, each with a stack of its own: "
        "--arms baseline s2s2@appearance s2s2@diffusion",
    )
    parser.add_argument("--data", type=Path, required=True, help="Home: the labelled images to learn from.")
    parser.add_argument(
        "--target", type=Path, nargs="+", default=[], help="Away: labelled images of other sites."
    )
    parser.add_argument("--output", type=Path, required=True, help="Folder of the run.")
    parser.add_argument(
        "--size", type=int, default=256, help="Longer side of the working grid in pixels; the ratio is kept."
    )
    arms = "; ".join(f"{arm.name}: {arm.summary}" for arm in ARMS.values())
    parser.add_argument(
        "--arms",
        type=str,
        nargs="+",
        default=["baseline", "duplicate", "s2s2"],
        help=f"What is compared. {arms}.",
    )
    parser.add_argument("--generator", type=str, help="Short for --stack.generator; see below.")
    parser.add_argument("--seeds", type=int, default=3, help="Repetitions of every arm.")
    parser.add_argument(
        "--jobs", type=int, help="Trainings side by side. Default: one a core, or one for a GPU."
    )
    parser.add_argument("--tolerance", type=float, default=2.0, help="Of the surface Dice, in mm or pixels.")
    parser.add_argument(
        "--audited", type=bool, default=True, help="false: train on the stack without judging it first."
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="Say what would be done and how long it may take."
    )
    add_data_options(parser)
    parser.add_class_arguments(SplitConfig, "split")
    parser.add_class_arguments(StackConfig, "stack")
    parser.add_class_arguments(AuditConfig, "audit")
    parser.add_class_arguments(NetworkConfig, "network")
    parser.add_class_arguments(TrainConfig, "train")
    return parser
