"""Cross-fitting: folds of the training groups, and one segmenter trained for each fold."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from s2s2.audit.config import AuditConfig
from s2s2.core.progress import Progress
from s2s2.core.workers import default_jobs, side_by_side
from s2s2.data.dataset import Dataset
from s2s2.data.split import TrainingData
from s2s2.data.stratify import assign
from s2s2.errors import AuditError
from s2s2.training import TrainConfig, fit

VALIDATION = 0.15
"""Share of a fold's own training cases that chooses its best network."""


@dataclass(frozen=True)
class Fold:
    """The case ids of one fold.

    Args:
        train: Cases that its segmenter learns from.
        validation: Cases that choose the segmenter's best weights. Of other groups than `train`,
            unless there is one group alone to learn from: then the same cases.
        judged: Cases that it judges; no group of theirs is in `train` or `validation`.
    """

    train: tuple[str, ...]
    validation: tuple[str, ...]
    judged: tuple[str, ...]


def make_folds(train: Dataset, folds: int, seed: int) -> tuple[Fold, ...]:
    """Cut training cases into folds without splitting a group, balanced by foreground.

    Args:
        train: The training cases.
        folds: How many; no more than there are groups.
        seed: Of the draw.

    Raises:
        AuditError: If all cases are of one group.
    """
    sizes: dict[str, list[float]] = {}
    for case in train:
        sizes.setdefault(case.group, []).append(float((train.mask(case) > 0).mean()))
    if len(sizes) < 2:
        raise AuditError(
            f"The {len(train)} training cases of {train.root} are of {len(sizes)} group, and a judge must "
            "not have seen the patient whom it judges: two groups are needed at least. Name the groups by "
            "--groups, or train on more patients."
        )
    count = min(folds, len(sizes))
    share, more = divmod(len(train), count)
    part_of = assign(sizes, [share + (number < more) for number in range(count)], seed=seed)
    return tuple(_fold(train, sizes, part_of, number, seed) for number in range(count))


def _fold(
    train: Dataset, sizes: dict[str, list[float]], part_of: dict[str, int], number: int, seed: int
) -> Fold:
    judged = tuple(case.id for case in train if part_of[case.group] == number)
    learnt = {group: values for group, values in sizes.items() if part_of[group] != number}
    cases = sum(map(len, learnt.values()))
    if len(learnt) < 2:
        ids = tuple(case.id for case in train if case.group in learnt)
        return Fold(ids, ids, judged)
    held = max(1, round(VALIDATION * cases))
    chooses = assign(learnt, (cases - held, held), seed=seed)
    return Fold(
        tuple(case.id for case in train if chooses.get(case.group) == 0),
        tuple(case.id for case in train if chooses.get(case.group) == 1),
        judged,
    )


@dataclass(frozen=True)
class FoldTraining:
    """One segmenter to be trained.

    Args:
        number: Of the fold.
        fold: Its cases.
        data: All training cases, on the segmenters' grid.
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
    """Train every fold's segmenter, `jobs` of them side by side (0: chosen by the machine).

    Raises:
        S2S2Error: The first error of a training; those that run are finished first.
    """
    total = sum(training.config.steps for training in trainings)
    done = [0] * len(trainings)

    def report_to(index: int) -> Progress:
        """Return what one fold reports to: the steps of all folds on one bar."""

        def report(steps: int, _: int, words: str) -> None:
            done[index] = min(steps, total)
            progress(min(sum(done), total), total, f"training judges: {words}")

        return report

    jobs = min(jobs or default_jobs(len(trainings)), len(trainings))
    side_by_side(
        FoldTraining.run,
        trainings,
        [report_to(index) for index in range(len(trainings))],
        jobs=jobs,
        threads=max(1, (os.cpu_count() or 1) // jobs),
    )
