"""`s2s2 run`: the whole path, from the check to the report."""

from __future__ import annotations

import sys
from dataclasses import dataclass, fields, replace

from s2s2 import cli
from s2s2.cli.command import Command
from s2s2.cli.help import choice_of_arms
from s2s2.run.config import RunConfig
from s2s2.run.options import Trusting


@dataclass(frozen=True, kw_only=True)
class DryRun(Command):
    """Whether anything is done.

    Args:
        dry_run: Only say what would be done, and how long it may take.
    """

    dry_run: bool = False


@dataclass(frozen=True, kw_only=True)
class Verifying(Command):
    """How closely finished work is looked at.

    Args:
        verify: Read every file that the run holds and compare it with what was written. Without it, a file
            whose size and times are as they were is taken to be whole.
    """

    verify: bool = False


@dataclass(frozen=True, kw_only=True)
class Options(DryRun, Verifying, Trusting, RunConfig):
    """Run the whole path on your own data.

    Check the data, split the home cases by group, make the stack, train every arm with every seed, predict,
    score and compare at home and away, and write the report. A stage that is finished is skipped, so an
    interrupted run goes on when the same command is given again. A data set is a folder with images/ and
    masks/ (same file stem), or a CSV manifest.

    Args:
        arms: What is compared; see below.
        generator: Short for --stack.generator; see below.
    """

    generator: str | None = None

    @classmethod
    def epilog(cls, width: int) -> str:
        """Return the arms and the generators."""
        from s2s2.generators.catalogue import choice_of_generators

        several = "Several generators in one run: --arms baseline s2s2@appearance s2s2@diffusion"
        return "\n\n".join([choice_of_arms(width), choice_of_generators(width), several])


def main(options: Options) -> int:
    """Run the whole path on folders of the user's own."""
    values = {each.name: getattr(options, each.name) for each in fields(RunConfig)}
    if options.generator is not None:
        values["stack"] = replace(options.stack, generator=options.generator)
    return execute(RunConfig(**values), dry_run=options.dry_run, verify=options.verify)


def execute(config: RunConfig, *, dry_run: bool, verify: bool = False) -> int:
    """Run, or say what would be done, and print where the report lies."""
    from rich.console import Console

    from s2s2.cli.console import TerminalReporter
    from s2s2.pipeline.estimate import estimate
    from s2s2.pipeline.run import Run
    from s2s2.report.headline import advice
    from s2s2.run.choice import arm_to_use
    from s2s2.run.folder import RunFolder
    from s2s2.run.results import Results

    if dry_run:
        Console().print(estimate(config))
        return 0
    with TerminalReporter() as reporter:
        page = Run(config, reporter, cli.typed(), verify=verify).execute()
    results = Results.read(RunFolder(config.output))
    choice = arm_to_use(results)
    if choice is not None:
        sys.stdout.write(f"\n{advice(results)}\ns2s2 predict {choice.folder} NEW_IMAGES --output masks\n")
    sys.stdout.write(f"\nReport: {page.resolve()}\n")
    return 0
