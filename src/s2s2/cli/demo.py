"""`s2s2 demo`."""

from __future__ import annotations

from pathlib import Path

from s2s2.cli.options import new_parser
from s2s2.cli.run import execute


def main(arguments: list[str]) -> int:
    """Run the whole path on the images that come with the package."""
    parser = new_parser(
        "demo",
        "[--output FOLDER] [options]",
        "Train on fifty polyp images of a hospital in Paris, test in Paris, Padova, Aviano and Oxford, and "
        "show what semantic stacking changes: baseline, duplicate and s2s2 with the same number of images "
        "seen. No network access, no GPU; under ten minutes on two cores. The images are an excerpt of "
        "PolypGen (Ali et al. 2023, CC BY 4.0).",
    )
    parser.add_argument("--output", type=Path, default=Path("s2s2-demo"), help="Folder to write to.")
    parser.add_argument("--seeds", type=int, help="Repetitions of every arm.")
    parser.add_argument("--steps", type=int, help="Optimiser steps of every training.")
    parser.add_argument("--jobs", type=int, help="Trainings side by side. Default: one a core.")
    parser.add_argument(
        "--dry-run", action="store_true", help="Say what would be done and how long it may take."
    )
    options = parser.parse_args(arguments)

    from s2s2.pipeline import demo_config

    config = demo_config(options.output, seeds=options.seeds, steps=options.steps, jobs=options.jobs)
    return execute(config, arguments, dry_run=options.dry_run, command="demo")
