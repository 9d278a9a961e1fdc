"""`s2s2 check`: defects of a data set."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

from s2s2.cli.command import Command
from s2s2.run.options import DataOptions


@dataclass(frozen=True, kw_only=True)
class Options(Command, DataOptions):
    """Read every file of a data set and report all that is wrong in one pass.

    Reported are files that cannot be read, images without a mask and masks without an image, sizes that
    differ, unknown label values, soft masks, blank masks, constant images, and exact duplicates across
    groups or splits. The exit code is 2 when something would break a training.

    Args:
        target: Images of other sites, with or without masks, which are not read: says for each whether its
            images clearly differ from these in colour, brightness or contrast, and which stack fits then.
        json: Print the findings as JSON.
    """

    words = ("data",)

    target: tuple[Path, ...] = ()
    json: bool = False


def main(options: Options) -> int:
    """Report everything that is wrong with a data set in one pass."""
    from rich.console import Console

    from s2s2.cli.console import TerminalReporter
    from s2s2.data.checking.inspection import inspect
    from s2s2.data.classes import read_class_map

    with TerminalReporter() as reporter:
        update, cutting = reporter.task("reading"), reporter.task("volumes")
        findings = inspect(
            options.data,
            class_map=read_class_map(options.classes),
            groups=options.groups,
            channels=options.channels,
            dataset=options.dataset_of(),
            progress=lambda done, total: update(done, total, f"{done} of {total} files"),
            volumes=options.volumes,
            cutting=lambda done, total: cutting(done, total, f"{done} of {total} cut into slices"),
        )
    advice = _advice(options) if options.target and findings.ok else ()
    if options.json:
        content = findings.to_dict() | ({"advice": advice} if options.target else {})
        sys.stdout.write(json.dumps(content, indent=1) + "\n")
    else:
        findings.render(Console())
        sys.stdout.writelines(f"{sentence}\n" for sentence in advice)
    return 0 if findings.ok else 2


def _advice(options: Options) -> tuple[str, ...]:
    from s2s2.data.checking.advice import advise
    from s2s2.data.dataset import Dataset

    def images(path: Path, channels: int | None, number: int) -> Dataset:
        dataset = options.dataset_of(number)
        return Dataset.open(path, masks=False, channels=channels, volumes=options.volumes, dataset=dataset)

    home = images(options.data, options.channels, 0)
    sites = [images(path, home.channels, number) for number, path in enumerate(options.target, 1)]
    names = [site.domain for site in sites]
    if len({*names}) < len(names):
        names = [str(path) for path in options.target]
    return advise(home, dict(zip(names, sites, strict=True)), generators=())
