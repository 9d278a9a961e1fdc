"""`s2s2 train`."""

from __future__ import annotations

from pathlib import Path

from s2s2.cli.console import TerminalReporter
from s2s2.cli.options import add_data_options, new_parser, open_dataset


def main(arguments: list[str]) -> int:
    """Train one network in one arm."""
    from s2s2.arms import ARMS
    from s2s2.networks.config import NetworkConfig
    from s2s2.training.config import TrainConfig

    arms = "; ".join(f"{arm.name}: {arm.summary}" for arm in ARMS.values())
    parser = new_parser(
        "train",
        "DATA --split split.json [--stack STACK] --output FOLDER [options]",
        "Train a network on the training split and keep the one that is best on the validation split; the "
        "test split is never opened. Interrupted, it goes on at the last validation. Every arm sees the "
        f"same number of images. Arms: {arms}.",
    )
    parser.add_argument("data", type=Path, help="Folder or CSV manifest.")
    parser.add_argument("--split", type=Path, required=True, help="From `s2s2 split`.")
    parser.add_argument("--stack", type=Path, help="From `s2s2 stack`; for the arms synthetic and s2s2.")
    parser.add_argument("--output", type=Path, required=True, help="Folder to write to.")
    parser.add_argument("--arm", type=str, default="s2s2", choices=list(ARMS), help="What is trained.")
    parser.add_argument("--size", type=int, default=256, help="Longer side of the working grid in pixels.")
    parser.add_argument("--seed", type=int, default=0, help="Of weights and draws.")
    add_data_options(parser)
    parser.add_class_arguments(NetworkConfig, "network")
    parser.add_class_arguments(TrainConfig, "train")
    options = parser.instantiate(parser.parse_args(arguments))

    from rich.console import Console

    from s2s2.data.split import Split
    from s2s2.stack import Stack
    from s2s2.training.fitting import fit

    dataset = open_dataset(options, options.data, size=options.size)
    split = Split.load(options.split)
    split.check(dataset)
    with TerminalReporter() as reporter:
        result = fit(
            split.training(dataset),
            Stack.open(options.stack) if options.stack else None,
            options.output,
            network=options.network,
            config=options.train,
            arm=options.arm,
            seed=options.seed,
            progress=reporter.task(f"train {options.arm}"),
        )
    Console().print(
        f"validation Dice {result.best_dice:.3f} after {result.images_seen} images: {result.network_folder}"
    )
    return 0
