"""`s2s2 predict`: label maps from a trained network."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from s2s2.cli.command import Command
from s2s2.run.options import Channels, Flipping, PartOfSplit, Public, Trusting, Written

_ADAPTED = (
    "batch normalisation takes the statistics of these images. In our trials this gained 2 to 5 Dice points "
    "on polyps, lost 4 on cardiac MRI and 5 to 28 on nuclei in another stain: compare with and without on "
    "labelled images before you rely on it"
)


@dataclass(frozen=True, kw_only=True)
class Options(Command, Trusting, Flipping, Public, Channels, PartOfSplit, Written):
    """Segment images with a trained network.

    The label maps hold the class ids, each on the grid of its image: PNG files of flat images, of volumes
    files of their format, which lie on them in every viewer. An image that cannot
    be read is named and skipped, and the exit code is then 2.

    Args:
        network: Folder `network` of a training, or of an arm of a run, such as runs/first/arms/s2s2, whose
            seeds then predict together.
        data: Folder of images, or a data set with masks.
        output: Folder that is written.
        probabilities: Also write the probability of each class.
        overlays: Also write the images with outlines of what was found.
        batch: Images that go through the network at once.
        device: auto, cpu, cuda or cuda:1.
        overwrite: Predict again what is there already.
        largest: Classes of which the largest connected region alone is kept, such as `liver spleen`: for
            organs that there are once.
        adapted: Give batch normalisation the statistics of all images of `data`, 16 or more, instead of
            those of the training; no mask is read. It may gain or lose: validate it on labelled images.
        dicom_seg: Write the label maps of DICOM series as DICOM-SEG, with the names of the classes, instead
            of NIfTI.
    """

    words = ("network", "data")

    network: Path
    data: Path
    probabilities: bool = False
    overlays: bool = False
    batch: int = 8
    device: str = "auto"
    overwrite: bool = False
    adapted: bool = False
    largest: tuple[str, ...] = ()
    dicom_seg: bool = False


def main(options: Options) -> int:
    """Segment a folder of images."""
    from s2s2.cli.console import TerminalReporter
    from s2s2.data.dataset import Dataset
    from s2s2.data.reading.layouts import discover
    from s2s2.evaluation.predict import predict
    from s2s2.networks import common_card

    card = common_card(options.network)
    with TerminalReporter() as reporter:
        cutting = reporter.task("volumes")
        dataset = options.of_part(
            Dataset.open(
                options.data,
                masks=False,
                class_map=card.class_map,
                channels=options.channels,
                volumes=card.volumes,
                dataset=options.dataset_of(),
                progress=lambda done, total: cutting(done, total, f"{done} of {total} read"),
            )
        )
        if options.adapted:
            reporter.stage("adapted", _ADAPTED)
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
            trust=options.trust,
            flips=options.flips,
            adapted=options.adapted,
            largest=options.largest,
            dicom_seg=options.dicom_seg,
            progress=lambda done, total: update(done, total, f"{done} of {total} images"),
        )
    found = discover(options.data, masks_required=False, dataset=options.dataset_of())
    for problem in found.problems:
        sys.stderr.write(f"s2s2: {problem}\n")
    for name, message in report.failed.items():
        sys.stderr.write(f"s2s2: {name} was skipped: {message}\n")
    sys.stdout.write(f"{len(report.written)} predictions, {len(report.failed)} skipped: {options.output}\n")
    return 2 if report.failed else 0
