"""`s2s2 predict`."""

from __future__ import annotations

import sys
from pathlib import Path

from s2s2.cli.console import TerminalReporter
from s2s2.cli.options import new_parser


def main(arguments: list[str]) -> int:
    """Segment a folder of images."""
    parser = new_parser(
        "predict",
        "NETWORK IMAGES --output FOLDER [options]",
        "Segment images with a trained network: label maps with the class ids, PNG, on each image's own "
        "grid. An image that cannot be read is named and skipped, and the exit code is then 2.",
    )
    parser.add_argument("network", type=Path, help="Folder `network` of a training.")
    parser.add_argument("images", type=Path, help="Folder of images, or a data set with masks.")
    parser.add_argument("--output", type=Path, required=True, help="Folder to write to.")
    parser.add_argument(
        "--probabilities", action="store_true", help="Also write the probability of each class."
    )
    parser.add_argument(
        "--overlays", action="store_true", help="Also write the images with outlines, to look at."
    )
    parser.add_argument("--batch", type=int, default=8, help="Images that go through the network at once.")
    parser.add_argument("--device", type=str, default="auto", help="auto, cpu, cuda or cuda:1.")
    parser.add_argument("--channels", type=int, help="1 or 3 to read every image as grey or as RGB.")
    parser.add_argument("--overwrite", action="store_true", help="Predict again what is there already.")
    options = parser.parse_args(arguments)

    from s2s2.data.dataset import Dataset
    from s2s2.evaluation.predict import predict
    from s2s2.networks import load_network

    _, card = load_network(options.network)
    dataset = Dataset.open(options.images, masks=False, class_map=card.class_map, channels=options.channels)
    with TerminalReporter() as reporter:
        update = reporter.task("predict")
        report = predict(
            options.network,
            dataset,
            options.output,
            probabilities=options.probabilities,
            overlays=options.overlays,
            batch=options.batch,
            device=options.device,
            overwrite=options.overwrite,
            progress=lambda done, total: update(done, total, f"{done} of {total} images"),
        )
    for name, message in report.failed.items():
        sys.stderr.write(f"s2s2: {name} was skipped: {message}\n")
    sys.stdout.write(f"{len(report.written)} predictions, {len(report.failed)} skipped: {options.output}\n")
    return 2 if report.failed else 0
