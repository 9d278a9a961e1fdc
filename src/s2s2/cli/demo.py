"""`s2s2 demo`: the whole path on images that come with the package."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from s2s2.cli.run import DryRun, execute
from s2s2.run.config import Repeated
from s2s2.run.options import Written


@dataclass(frozen=True, kw_only=True)
class Options(DryRun, Repeated, Written):
    """Run the whole path on polyp images of four hospitals, which come with the package.

    Train on fifty images of a hospital in Paris, test in Paris, Padova, Aviano and Oxford, and show what
    semantic stacking changes: baseline, duplicate and s2s2 see the same number of images. No network access
    and no GPU are needed; it takes about ten minutes on two cores. The images are an excerpt of PolypGen
    (Ali et al. 2023, CC BY 4.0).

    Args:
        output: Folder that is written.
        steps: Optimiser steps of every training.
    """

    output: Path = Path("s2s2-demo")
    steps: int = 160


def main(options: Options) -> int:
    """Run the whole path on the images that come with the package."""
    from s2s2.pipeline.demo import demo_config

    config = demo_config(options.output, seeds=options.seeds, steps=options.steps, jobs=options.jobs)
    return execute(config, dry_run=options.dry_run)
