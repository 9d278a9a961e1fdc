"""`s2s2 tune`: weights of a generator that learns."""

from __future__ import annotations

from dataclasses import dataclass, field

from s2s2.audit.config import AuditConfig
from s2s2.cli.command import Command
from s2s2.errors import ConfigError
from s2s2.run.options import TrainingData, Trusting


@dataclass(frozen=True, kw_only=True)
class Options(Command, Trusting, TrainingData):
    """Train the network of a generator on the training split, and on nothing else.

    An interrupted tuning goes on at its last check. At each check, samples are generated for training
    masks. Segmenters that never saw the case (they are trained first, see --audit.*) measure how well the
    samples show their masks, and the weights with the best agreement are kept. Watch history.csv and
    samples/ in the output folder.

    Args:
        output: Folder of the weights.
        generator: What is tuned, with its options in brackets: "diffusion(guidance=2)".
        judged: Train segmenters and keep the best weights; false keeps the last weights.
        audit: The segmenters.
    """

    words = ("data",)

    generator: str = "diffusion"
    judged: bool = True
    audit: AuditConfig = field(default_factory=AuditConfig)

    @classmethod
    def epilog(cls, width: int) -> str:
        """Return the generators that can be tuned."""
        from s2s2.generators.catalogue import choice_of_generators

        return choice_of_generators(width, tuned=True)


def main(options: Options) -> int:
    """Tune a generator's network on the training images."""
    from rich.console import Console

    from s2s2.audit import Segmenters
    from s2s2.cli.console import TerminalReporter
    from s2s2.generators import build_generator
    from s2s2.pipeline.stacks import outlook, place_tuned

    parts = build_generator(options.generator).learners
    if not parts:
        raise ConfigError(
            f"--generator {options.generator} has nothing to tune. Go straight to `s2s2 stack`, or choose "
            "diffusion or controlnet."
        )
    dataset, split = options.open()
    place_tuned(parts, options.output)
    untuned = [part for part in parts if not part.tuned]
    with TerminalReporter() as reporter:
        tunings, judge = [outlook(part, dataset, split) for part in untuned], None
        if options.judged and untuned:
            reporter.stage("judges", "segmenters of the real training images, cross-fitted by group")
            judge = Segmenters.fit(
                dataset.subset(split.train), options.output / "judges", options.audit, reporter.task("judges")
            )
        reporter.stage("tune", "; ".join(tunings) or "done")
        for part in untuned:
            part.tune(dataset, split, judge=judge, progress=reporter.task(f"tune {part.name}"))
    Console().print(
        f"Tuned: {options.output} (samples/ shows what it makes)\n"
        f'Next:  s2s2 stack {options.data} --split {options.split} --generator "{options.generator}" '
        f"--tuned {options.output} --size {options.size} --output stack",
        highlight=False,
    )
    return 0
