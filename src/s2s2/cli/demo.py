"""`s2s2 demo`: the whole path on images that come with the package."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from s2s2.cli.run import DryRun, execute
from s2s2.run.config import Repeated
from s2s2.run.options import Written


@dataclass(frozen=True, kw_only=True)
class Options(DryRun, Repeated, Written):
    """Run the whole path on microscopy images, which come with the package.

    Train on 24 images of nuclei in fluorescence, bright on dark; test on others of these, on stained tissue
    and on bright field, dark on light, which the networks have never seen. Three arms see the same number of
    images: baseline, augmented (the same copies, unpaired) and s2s2. No network access and no GPU are
    needed. The images are an excerpt of BBBC038 (Caicedo et al. 2019, CC0).

    Args:
        output: Folder that is written.
        hospitals: Polyps instead, of one hospital at home and three away: a smaller step than another
            modality, and a smaller gain. An excerpt of PolypGen (Ali et al. 2023, CC BY 4.0).
        steps: Optimiser steps of every training. Without it, what the demo needs.
    """

    output: Path = Path("s2s2-demo")
    hospitals: bool = False
    steps: int | None = None


def main(options: Options) -> int:
    """Run the whole path on the images that come with the package."""
    from s2s2.pipeline.demo import HOSPITALS, NUCLEI

    demo = HOSPITALS if options.hospitals else NUCLEI
    config = demo.config(options.output, seeds=options.seeds, steps=options.steps, jobs=options.jobs)
    return execute(config, dry_run=options.dry_run)
