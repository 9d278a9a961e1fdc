"""`s2s2 tune`."""

from __future__ import annotations

from pathlib import Path

from jsonargparse import Namespace

from s2s2.cli.console import TerminalReporter
from s2s2.cli.options import add_data_options, help_width, new_parser, open_dataset
from s2s2.errors import ConfigError


def main(arguments: list[str]) -> int:
    """Tune a generator's network on the training images."""
    from s2s2.audit import AuditConfig
    from s2s2.generators.help import choice_of_generators

    parser = new_parser(
        "tune",
        "DATA --split split.json --generator NAME --output TUNED [options]",
        "Let a generator's network learn from the training split, and from nothing else. Interrupted, it "
        "goes on at the last check. At intervals it draws samples for training masks; segmenters that never "
        "saw the case (trained first, see --audit.*) say how well they show their masks, and the weights "
        "they like best are kept. Watch history.csv and samples/ in the output folder. Options of the "
        'generator stand in brackets: --generator "diffusion(guidance=2)".',
        choice_of_generators(help_width(), tuned=True),
    )
    parser.add_argument("data", type=Path, help="Folder or CSV manifest.")
    parser.add_argument("--split", type=Path, required=True, help="From `s2s2 split`.")
    parser.add_argument("--generator", type=str, default="diffusion", help="What is tuned.")
    parser.add_argument("--output", type=Path, required=True, help="Folder of the weights.")
    parser.add_argument("--size", type=int, default=256, help="Longer side of the working grid in pixels.")
    parser.add_argument(
        "--judged", type=bool, default=True, help="false: train no segmenters, keep the last weights."
    )
    add_data_options(parser)
    parser.add_class_arguments(AuditConfig, "audit")
    return _tune(parser.instantiate(parser.parse_args(arguments)))


def _tune(options: Namespace) -> int:
    from rich.console import Console

    from s2s2.audit import Segmenters
    from s2s2.data.split import Split
    from s2s2.generators import build_generator
    from s2s2.generators.protocol import tunables
    from s2s2.pipeline.stacks import outlook, place_tuned

    parts = tunables(build_generator(options.generator))
    if not parts:
        raise ConfigError(
            f"--generator {options.generator} has nothing to tune. Go straight to `s2s2 stack`, or choose "
            "diffusion or controlnet."
        )
    dataset = open_dataset(options, options.data, size=options.size)
    split = Split.load(options.split)
    split.check(dataset)
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
