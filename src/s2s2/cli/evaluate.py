"""`s2s2 evaluate`."""

from __future__ import annotations

from pathlib import Path

from s2s2.cli.options import add_data_options, new_parser, open_dataset


def main(arguments: list[str]) -> int:
    """Score predictions against masks and print a summary."""
    parser = new_parser(
        "evaluate",
        "PREDICTIONS DATA --output scores.csv [options]",
        "Score label maps against masks, joined by case id: Dice, IoU, precision, recall, HD95 and "
        "normalised surface Dice, one row a case and class, and a summary with 95% intervals from a "
        "bootstrap over groups. A class that is absent and not predicted is excluded and counted; a missed "
        "object gets the worst value.",
    )
    parser.add_argument("predictions", type=Path, help="Folder from `s2s2 predict`.")
    parser.add_argument("data", type=Path, help="Folder or CSV manifest with the masks.")
    parser.add_argument("--output", type=Path, required=True, help="CSV file to write.")
    parser.add_argument("--split", type=Path, help="Score the test part of this split only.")
    parser.add_argument("--arm", type=str, default="network", help="Name of the network in the table.")
    parser.add_argument("--seed", type=int, default=0, help="Seed of the network in the table.")
    parser.add_argument("--tolerance", type=float, default=2.0, help="Of the surface Dice, in mm or pixels.")
    add_data_options(parser)
    options = parser.parse_args(arguments)

    from s2s2.cli.tables import print_summary
    from s2s2.core.tables import write_table
    from s2s2.data.split import Split
    from s2s2.evaluation import summarise
    from s2s2.evaluation.score import score

    dataset = open_dataset(options, options.data)
    if options.split:
        dataset = Split.load(options.split).testing(dataset)
    scores = score(options.predictions, dataset, tolerance=options.tolerance)
    scores.insert(0, "seed", options.seed)
    scores.insert(0, "arm", options.arm)
    write_table(scores, options.output)
    print_summary(summarise(scores))
    return 0
