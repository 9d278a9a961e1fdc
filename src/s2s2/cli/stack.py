"""`s2s2 stack`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from jsonargparse import Namespace

from s2s2.cli.console import TerminalReporter
from s2s2.cli.options import add_data_options, help_width, new_parser, open_dataset
from s2s2.errors import ConfigError

_LAUNCHERS = (
    ("SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", "SLURM_ARRAY_TASK_MIN"),
    ("RANK", "WORLD_SIZE", None),
)
"""Variables that number a process, that count all, and that hold the first number (None: 0)."""


def main(arguments: list[str]) -> int:
    """Make synthetic images of every training mask, or top an existing stack up."""
    from s2s2.generators import DEFAULT_GENERATOR
    from s2s2.generators.help import choice_of_generators

    parser = new_parser(
        "stack",
        "DATA --split split.json --output STACK [options]",
        "Make the semantic stack: --depth synthetic images of every training mask, one multi-page TIFF a "
        "case. Interrupted, it goes on where it stood; with a larger --depth it adds what is missing. The "
        "generator sees the training split only. Generators are laid over each other by '+' and mixed by "
        "shares: appearance:8,diffusion+appearance:8. Options stand in brackets: "
        '"appearance(extrapolate=0.5)". A large stack is made by many: each of 16 processes takes its '
        "--shard k/16 (under torchrun or in a SLURM array by itself).",
        choice_of_generators(help_width()),
    )
    parser.add_argument("data", type=Path, help="Folder or CSV manifest.")
    parser.add_argument("--split", type=Path, required=True, help="From `s2s2 split`.")
    parser.add_argument("--output", type=Path, required=True, help="Folder of the stack.")
    parser.add_argument("--generator", type=str, default=DEFAULT_GENERATOR, help="See below.")
    parser.add_argument("--tuned", type=Path, help="From `s2s2 tune`. Default: tune into STACK/generator.")
    parser.add_argument("--shard", type=str, help="k/n: make the k-th of n parts, 1/n to n/n.")
    parser.add_argument("--depth", type=int, default=8, help="Copies a mask.")
    parser.add_argument("--size", type=int, default=256, help="Longer side of the working grid in pixels.")
    parser.add_argument("--bits", type=Literal[8, 16], default=8, help="Stored bits a channel.")
    parser.add_argument("--seed", type=int, default=0, help="Of every draw.")
    parser.add_argument("--jobs", type=int, default=1, help="Processes.")
    add_data_options(parser)
    return _stack(parser.parse_args(arguments))


def _stack(options: Namespace) -> int:
    from rich.console import Console

    from s2s2.data.split import Split
    from s2s2.generators import build_generator
    from s2s2.generators.protocol import tunables
    from s2s2.pipeline.stacks import counting, outlook, place_tuned
    from s2s2.stack import build_stack

    generator = build_generator(options.generator)
    if options.tuned is not None:
        place_tuned(tunables(generator), options.tuned)
    dataset = open_dataset(options, options.data, size=options.size)
    split = Split.load(options.split)
    split.check(dataset)
    shard = _shard(options.shard)
    copies = -(-len(split.train) * options.depth // (shard[1] if shard else 1))
    with TerminalReporter() as reporter:
        for part in tunables(generator):
            reporter.stage("cost", outlook(part, dataset, split, copies))
        stack = build_stack(
            generator,
            dataset,
            split,
            options.output,
            depth=options.depth,
            seed=options.seed,
            bits=options.bits,
            jobs=options.jobs,
            shard=shard,
            progress=counting(reporter.task("stack"), "masks"),
        )
    Console().print(f"{len(stack.ids)} masks, {stack.depth} copies each: {options.output}")
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
