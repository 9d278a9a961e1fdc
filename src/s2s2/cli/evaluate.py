"""`s2s2 evaluate`: scores of predictions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from s2s2.cli.command import Command
from s2s2.run.options import DataOptions, PartOfSplit, Seeded, Tolerant, Written


@dataclass(frozen=True, kw_only=True)
class Options(Command, Tolerant, Seeded, PartOfSplit, Written, DataOptions):
    """Score label maps against masks, joined by case id.

    There is one row for each case and class with Dice, IoU, precision, recall, HD95, normalised surface
    Dice, average symmetric surface distance (ASSD) and, of volumes with a known spacing, the volume error
    in ml; and a summary with 95% intervals from a bootstrap over groups. A class that is absent and not
    predicted is excluded and counted; a missed object gets the worst value.

    Args:
        predictions: Folder from `s2s2 predict`.
        output: CSV file that is written.
        arm: Name of the network in the table.
        seed: Seed of the network in the table.
        slicewise: Score every slice of a volume by itself. Without it, volumes are scored as wholes.
    """

    words = ("predictions", "data")

    predictions: Path
    arm: str = "network"
    slicewise: bool = False


def main(options: Options) -> int:
    """Score predictions against masks and print a summary."""
    from s2s2.cli.tables import print_summary
    from s2s2.core.tables import write_table
    from s2s2.data.naming import in_order_of
    from s2s2.evaluation.folder import PredictionFolder
    from s2s2.evaluation.score import score
    from s2s2.evaluation.summary import summarise

    dataset = options.read(options.data)
    names = PredictionFolder(options.predictions).facts.get("classes", ())
    ordered = in_order_of(dataset.class_map, names) if options.classes is None else None
    if ordered not in (None, dataset.class_map):  # another data set numbers the same classes otherwise
        dataset = options.read(options.data, class_map=ordered)
    part = options.of_part(dataset)
    beside = [*dataset.ids, *(volume.id for volume in dataset.volumes)]
    scores = score(
        options.predictions, part, tolerance=options.tolerance, beside=beside, slicewise=options.slicewise
    )
    scores.insert(0, "seed", options.seed)
    scores.insert(0, "arm", options.arm)
    write_table(scores, options.output)
    print_summary(summarise(scores))
    return 0
