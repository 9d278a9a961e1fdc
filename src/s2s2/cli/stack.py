"""`s2s2 stack`."""

from __future__ import annotations

from pathlib import Path

from s2s2.cli.console import TerminalReporter
from s2s2.cli.options import add_data_options, new_parser, open_dataset


def main(arguments: list[str]) -> int:
    """Make synthetic images of every training mask, or top an existing stack up."""
    from s2s2.generators import DEFAULT_GENERATOR, build_generator, describe_generators

    generators = " ".join(f"{name}: {sentence}" for name, sentence in describe_generators().items())
    parser = new_parser(
        "stack",
        "DATA --split split.json --output STACK [options]",
        "Make the semantic stack: --depth synthetic images of every training mask, one multi-page TIFF a "
        "case. Interrupted, it goes on where it stood; with a larger --depth it adds what is missing. The "
        f"generator sees the training split only. Generators, laid over each other by `+`: {generators}",
    )
    parser.add_argument("data", type=Path, help="Folder or CSV manifest.")
    parser.add_argument("--split", type=Path, required=True, help="From `s2s2 split`.")
    parser.add_argument("--output", type=Path, required=True, help="Folder of the stack.")
    parser.add_argument("--generator", type=str, default=DEFAULT_GENERATOR, help="Names joined by +.")
    parser.add_argument("--depth", type=int, default=8, help="Copies a mask.")
    parser.add_argument("--size", type=int, default=256, help="Longer side of the working grid in pixels.")
    parser.add_argument("--bits", type=int, default=8, choices=[8, 16], help="Stored bits a channel.")
    parser.add_argument("--seed", type=int, default=0, help="Of every draw.")
    parser.add_argument("--jobs", type=int, default=1, help="Processes.")
    add_data_options(parser)
    options = parser.parse_args(arguments)

    from rich.console import Console

    from s2s2.data.split import Split
    from s2s2.stack import build_stack

    dataset = open_dataset(options, options.data, size=options.size)
    split = Split.load(options.split)
    split.check(dataset)
    with TerminalReporter() as reporter:
        update = reporter.task("stack")
        stack = build_stack(
            build_generator(options.generator),
            dataset,
            split,
            options.output,
            depth=options.depth,
            seed=options.seed,
            bits=options.bits,
            jobs=options.jobs,
            progress=lambda done, total: update(done, total, f"{done} of {total} masks"),
        )
    Console().print(f"{len(stack.ids)} masks, {stack.depth} copies each: {options.output}")
    return 0
