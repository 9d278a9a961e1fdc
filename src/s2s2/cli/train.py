"""`s2s2 train`: one network in one arm."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from s2s2.arms import get_arm
from s2s2.cli.command import Command
from s2s2.cli.help import choice_of_arms
from s2s2.networks.config import NetworkConfig
from s2s2.run.options import Seeded, TrainingData, Trusting
from s2s2.training.config import TrainConfig


@dataclass(frozen=True, kw_only=True)
class Options(Command, Trusting, Seeded, TrainingData):
    """Train a network on the training split and keep the one that is best on the validation split.

    The test split is never opened. An interrupted training goes on at its last validation. Every arm sees
    the same number of images.

    Args:
        output: Folder that is written.
        stack: Folder from `s2s2 stack`, for the arms augmented, synthetic, slaug+s2s2 and s2s2.
        live: Make a new copy for every visit with the generator of that stack, instead of reading its
            copies. Needs a generator without tuning.
        arm: What is trained; see below.
        seed: Seed of the weights and of every random draw.
        network: The network.
        train: How it is trained.
    """

    words = ("data",)

    stack: Path | None = None
    live: bool = False
    arm: str = "s2s2"
    network: NetworkConfig = field(default_factory=NetworkConfig)
    train: TrainConfig = field(default_factory=TrainConfig)

    def __post_init__(self) -> None:
        """Refuse an arm that there is not."""
        super().__post_init__()
        get_arm(self.arm)

    @classmethod
    def epilog(cls, width: int) -> str:
        """Return the arms."""
        return choice_of_arms(width)


def main(options: Options) -> int:
    """Train one network in one arm."""
    from rich.console import Console

    from s2s2.cli.console import TerminalReporter
    from s2s2.pipeline.stacks import open_stack
    from s2s2.training.fitting import fit

    dataset, split = options.open()
    with TerminalReporter() as reporter:
        result = fit(
            split.training(dataset),
            open_stack(options.stack, dataset, split, live=options.live, trust=options.trust),
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
