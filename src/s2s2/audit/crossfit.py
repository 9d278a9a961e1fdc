"""One segmenter a fold, trained side by side."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from s2s2.audit.config import AuditConfig
from s2s2.audit.folds import Fold
from s2s2.core.progress import Progress
from s2s2.core.workers import default_jobs, side_by_side
from s2s2.data.dataset import Dataset
from s2s2.data.split import TrainingData
from s2s2.training import TrainConfig, fit


@dataclass(frozen=True)
class FoldTraining:
    """One segmenter to be trained.

    Args:
        number: Of the fold.
        fold: Its cases.
        data: All training cases, on the judge's grid.
        folder: Where the segmenter is kept.
        config: Settings of the audit.
    """

    number: int
    fold: Fold
    data: Dataset
    folder: Path
    config: AuditConfig

    def run(self, progress: Progress) -> None:
        """Train the segmenter, or return at once where it is finished."""
        config = self.config
        fit(
            TrainingData(self.data.subset(self.fold.train), self.data.subset(self.fold.validation)),
            None,
            self.folder,
            network=config.network,
            config=TrainConfig(
                steps=config.steps,
                images_per_step=config.images_per_step,
                validations=min(4, config.steps),
            ),
            arm="baseline",
            seed=config.seed + self.number,
            progress=progress,
        )


def train_folds(trainings: Sequence[FoldTraining], jobs: int, progress: Progress) -> None:
    """Train every fold's segmenter, `jobs` of them side by side (0: as many as the machine bears).

    Raises:
        S2S2Error: The first error of a training; those that run are finished first.
    """
    bar = _Bar(trainings, progress)
    jobs = min(jobs or default_jobs(len(trainings)), len(trainings))
    side_by_side(
        FoldTraining.run,
        trainings,
        [bar.of(training.number) for training in trainings],
        jobs=jobs,
        threads=max(1, (os.cpu_count() or 1) // jobs),
    )


class _Bar:
    """Adds the steps of all folds up to one bar."""

    def __init__(self, trainings: Sequence[FoldTraining], progress: Progress) -> None:
        self.total = sum(training.config.steps for training in trainings)
        self.done = dict.fromkeys((training.number for training in trainings), 0)
        self.progress = progress

    def of(self, number: int) -> Progress:
        """Return what a fold reports its steps to."""

        def report(done: int, total: int, words: str) -> None:
            self.done[number] = min(done, self.total)
            self.progress(min(sum(self.done.values()), self.total), self.total, f"training judges: {words}")

        return report
