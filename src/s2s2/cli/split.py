"""`s2s2 split`."""

from __future__ import annotations

from pathlib import Path

from s2s2.cli.options import add_data_options, new_parser, open_dataset


def main(arguments: list[str]) -> int:
    """Divide the cases of a data set and save their ids."""
    parser = new_parser(
        "split",
        "DATA --output split.json [options]",
        "Divide cases into train, validation and test. No group (patient, video) is in two of them, and the "
        "sizes of the labelled regions are spread evenly. The same seed gives the same split.",
    )
    parser.add_argument("data", type=Path, help="Folder or CSV manifest.")
    parser.add_argument("--output", type=Path, required=True, help="JSON file to write.")
    parser.add_argument(
        "--fractions", type=float, nargs=3, default=[0.7, 0.1, 0.2], help="Shares of train, validation, test."
    )
    parser.add_argument("--counts", type=int, nargs=3, help="Numbers of cases instead of shares.")
    parser.add_argument("--seed", type=int, default=0, help="Of the division.")
    add_data_options(parser)
    options = parser.parse_args(arguments)

    from rich.console import Console

    from s2s2.data.split import split_by_group

    dataset = open_dataset(options, options.data)
    if options.counts:
        split = split_by_group(dataset, counts=tuple(options.counts), seed=options.seed)
    else:
        split = split_by_group(dataset, fractions=tuple(options.fractions), seed=options.seed)
    split.save(options.output)
    sizes = ", ".join(f"{len(getattr(split, part))} {part}" for part in ("train", "validation", "test"))
    Console().print(f"{sizes}: {options.output}")
    return 0
