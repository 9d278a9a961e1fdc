"""`s2s2 stack`: synthetic images of every training mask."""

from __future__ import annotations

import os
from dataclasses import dataclass

from s2s2.cli.command import Command
from s2s2.errors import ConfigError
from s2s2.run.config import StackConfig
from s2s2.run.options import Parallel, TrainingData, Trusting

_LAUNCHERS = (
    ("SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", "SLURM_ARRAY_TASK_MIN"),
    ("RANK", "WORLD_SIZE", None),
)
"""Variables that number a process, that count all, and that hold the first number (None: 0)."""


@dataclass(frozen=True, kw_only=True)
class Options(Command, Trusting, Parallel, StackConfig, TrainingData):
    """Make the semantic stack: several synthetic images of every training mask.

    Each case becomes one multi-page TIFF. The generator sees the training split only. An interrupted stack
    goes on where it stopped; with a larger --depth the missing images are added. A large stack is made by
    many processes: each of 16 takes its --shard k/16 (under torchrun or in a SLURM array by itself).

    Args:
        output: Folder of the stack.
        shard: k/n makes the k-th of n parts, 1/n to n/n.
        jobs: Processes side by side.
        seed: Seed of every random draw.
    """

    words = ("data",)

    jobs: int | None = 1
    shard: str | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot work before anything is made."""
        for part in (Parallel, StackConfig, TrainingData):
            part.__post_init__(self)
        if self.depth == "live":
            raise ConfigError(
                "A live stack keeps no files, so there is nothing to make. Give --depth a number here, and "
                "`--live true` to `s2s2 train`, which then makes new copies with this stack's generator."
            )

    @classmethod
    def epilog(cls, width: int) -> str:
        """Return the generators."""
        from s2s2.generators.catalogue import choice_of_generators

        return choice_of_generators(width)


def main(options: Options) -> int:
    """Make synthetic images of every training mask, or add to an existing stack."""
    from rich.console import Console

    from s2s2.cli.console import TerminalReporter
    from s2s2.core.progress import counting
    from s2s2.core.workers import default_jobs
    from s2s2.generators import build_generator
    from s2s2.pipeline.stacks import outlook, take_tuned
    from s2s2.stack import build_stack

    generator = build_generator(options.generator)
    if options.tuned is not None:
        take_tuned(generator.learners, options.tuned)
    dataset, split = options.open()
    shard = _shard(options.shard)
    copies = -(-len(split.train) * options.stored // (shard[1] if shard else 1))
    with TerminalReporter() as reporter:
        for part in generator.learners:
            reporter.stage("cost", outlook(part, dataset, split, copies))
        stack = build_stack(
            generator,
            dataset,
            split,
            options.output,
            depth=options.stored,
            seed=options.seed,
            bits=options.bits,
            jobs=options.jobs or default_jobs(len(split.train)),
            shard=shard,
            progress=counting(reporter.task("stack"), "masks"),
        )
    Console().print(f"{len(stack.ids)} masks, {stack.depth} synthetic images each: {options.output}")
    return 0


def _shard(text: str | None) -> tuple[int, int] | None:
    """Read k/n, or take it from torchrun or SLURM."""
    if text is None:
        for rank, size, first in _LAUNCHERS:
            if rank in os.environ and size in os.environ:
                least = int(os.environ.get(first, 0)) if first else 0
                return int(os.environ[rank]) - least + 1, int(os.environ[size])
        return None
    part, _, parts = text.partition("/")
    if not (part.isdigit() and parts.isdigit() and 1 <= int(part) <= int(parts)):
        raise ConfigError(f"--shard must be k/n with k from 1 to n, such as 3/16, got {text!r}.")
    return int(part), int(parts)
