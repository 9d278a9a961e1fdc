"""All arms and seeds, side by side: each is trained, predicts every domain and is scored."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch

from s2s2.data.dataset import Dataset
from s2s2.data.split import Split
from s2s2.data.workers import worker_environment
from s2s2.errors import EvaluationError
from s2s2.networks.build import NetworkConfig
from s2s2.pipeline.reporter import Reporter, Update
from s2s2.pipeline.stamp import Stamp, listing_digest
from s2s2.pipeline.workspace import scores_file
from s2s2.stack import Stack
from s2s2.training.config import TrainConfig
from s2s2.training.fitting import FitResult, fit


@dataclass(frozen=True)
class Training:
    """One arm with one seed, and what it is tested on.

    Args:
        folder: Where all of it is kept.
        arm: Name of the arm.
        seed: Of weights and draws.
        home: All home cases; the split decides which are learnt from.
        split: Division of the home cases.
        size: Longer side of the working grid in pixels.
        stack: Folder of the stack, or None.
        tests: Cases to predict and score, by domain, on their own grid.
        network: The network.
        config: Settings of the training.
        tolerance: Of the normalised surface Dice.
        threads: CPU threads to use.
    """

    folder: Path
    arm: str
    seed: int
    home: Dataset
    split: Split
    size: int
    stack: Path | None
    tests: dict[str, Dataset]
    network: NetworkConfig
    config: TrainConfig
    tolerance: float
    threads: int

    @property
    def name(self) -> str:
        """Arm and seed, for people."""
        return f"{self.arm} seed {self.seed}"


def run_training(task: Training, update: Update) -> FitResult:
    """Train, predict and score one arm and seed; what is done already is kept."""
    torch.set_num_threads(task.threads)
    data = task.split.training(task.home.resized(task.size))
    stack = None if task.stack is None else Stack.open(task.stack)
    result = fit(
        data,
        stack,
        task.folder,
        network=task.network,
        config=task.config,
        arm=task.arm,
        seed=task.seed,
        progress=update,
    )
    for domain, dataset in task.tests.items():
        _test_domain(task, domain, dataset, update)
    update(1, 1, f"validation Dice {result.best_dice:.3f}")
    return result


def _test_domain(task: Training, domain: str, dataset: Dataset, update: Update) -> None:
    from s2s2.evaluation import predict, score, write_table

    scores_path = scores_file(task.folder, domain)
    weights = (task.folder / "network" / "weights.safetensors").stat()
    stamp = Stamp(
        task.folder / f".{domain}.done.json",
        {
            "weights": [weights.st_size, weights.st_mtime_ns],
            "data": listing_digest(dataset),
            "class_map": dataset.class_map.to_dict(),
            "tolerance": task.tolerance,
        },
    )
    if stamp.holds():
        return
    folder = task.folder / "predictions" / domain
    words = f"predicting {domain}"
    report = predict(
        task.folder / "network",
        dataset,
        folder,
        overwrite=True,
        progress=lambda done, total: update(done, total, words),
    )
    if report.failed:
        name, message = next(iter(report.failed.items()))
        raise EvaluationError(
            f"{len(report.failed)} of {len(dataset)} images of {domain} could not be predicted; the first is "
            f"{name}: {message} Mend or remove them and run the same command again."
        )
    update(len(dataset), len(dataset), f"scoring {domain}")
    scores = score(folder, dataset, tolerance=task.tolerance)
    scores.insert(0, "seed", task.seed)
    scores.insert(0, "arm", task.arm)
    write_table(scores, scores_path)
    stamp.write([scores_path, *folder.glob("*.png")])


def run_trainings(tasks: Sequence[Training], jobs: int, reporter: Reporter) -> dict[str, FitResult]:
    """Run every task, `jobs` of them side by side, and return the results by name.

    Raises:
        S2S2Error: The first error of a task; the other tasks that run are finished first,
            so that nothing they made is lost.
    """
    updates = {task.name: reporter.task(task.name) for task in tasks}
    if jobs == 1:
        return {task.name: run_training(task, updates[task.name]) for task in tasks}
    context = get_context("spawn")
    with context.Manager() as manager:
        queue = manager.Queue()
        listener = threading.Thread(target=_listen, args=(queue, updates), daemon=True)
        listener.start()
        with (
            worker_environment(tasks[0].threads),
            ProcessPoolExecutor(jobs, mp_context=context) as pool,
        ):
            futures = {pool.submit(_run_in_worker, task, queue, os.getpid()): task.name for task in tasks}
            try:
                results = {futures[future]: future.result() for future in as_completed(futures)}
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
            finally:
                queue.put(None)
                listener.join(timeout=5)
    return results


def _listen(queue: Any, updates: dict[str, Update]) -> None:
    while (message := queue.get()) is not None:
        name, done, total, words = message
        updates[name](done, total, words)


def _run_in_worker(task: Training, queue: Any, parent: int) -> FitResult:
    return run_training(task, _messenger(queue, task.name, parent))


def _messenger(queue: Any, name: str, parent: int) -> Callable[[int, int, str], None]:
    def send(done: int, total: int, words: str) -> None:
        # A worker whose parent was killed must not go on writing into a folder
        # that the next run will work in.
        if os.getppid() != parent:
            os._exit(1)
        queue.put((name, done, total, words))

    return send


def default_jobs(tasks: int) -> int:
    """One training a core on a CPU, where one network cannot fill two; one in all on a GPU."""
    if torch.cuda.is_available():
        return 1
    return max(1, min(tasks, os.cpu_count() or 1))
