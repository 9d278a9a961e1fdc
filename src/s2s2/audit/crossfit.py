"""One segmenter a fold, trained side by side."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch

from s2s2.audit.config import AuditConfig
from s2s2.audit.folds import Fold
from s2s2.data.dataset import Dataset
from s2s2.data.split import TrainingData
from s2s2.data.workers import worker_environment
from s2s2.training import TrainConfig, fit

Progress = Callable[[int, int, str], None]
"""Called with the work done, the work in all, and a few words."""


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

    def run(self, progress: Progress | None) -> None:
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
    jobs = min(jobs or _default_jobs(), len(trainings))
    if jobs == 1:
        for training in trainings:
            training.run(bar.of(training.number))
        return
    context = get_context("spawn")
    threads = max(1, (os.cpu_count() or 1) // jobs)
    queue = context.Queue()
    listener = threading.Thread(target=bar.listen, args=(queue,), daemon=True)
    listener.start()
    with (
        worker_environment(threads),
        ProcessPoolExecutor(jobs, context, _start, (queue, os.getpid(), threads)) as pool,
    ):
        futures = [pool.submit(_work, training) for training in trainings]
        try:
            for future in as_completed(futures):
                future.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
        finally:
            queue.put(None)
            listener.join(timeout=5)


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

    def listen(self, queue: Any) -> None:
        """Hand on what the processes report."""
        while (message := queue.get()) is not None:
            number, *words = message
            self.of(number)(*words)


_process: dict[str, Any] = {}


def _start(queue: Any, parent: int, threads: int) -> None:
    torch.set_num_threads(threads)
    _process.update(queue=queue, parent=parent)


def _work(training: FoldTraining) -> None:
    training.run(partial(_send, training.number))


def _send(number: int, done: int, total: int, words: str) -> None:
    # A worker whose parent was killed must not go on writing into a folder
    # that the next audit will work in.
    if os.getppid() != _process["parent"]:
        os._exit(1)
    _process["queue"].put((number, done, total, words))


def _default_jobs() -> int:
    """One training a core on a CPU; one in all on a GPU."""
    return 1 if torch.cuda.is_available() else os.cpu_count() or 1
