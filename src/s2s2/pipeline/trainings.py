"""All arms and seeds, side by side: each is trained, predicts every domain and is scored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from s2s2.core.progress import Progress
from s2s2.core.records import Record, file_identity
from s2s2.core.workers import side_by_side
from s2s2.data.dataset import Dataset
from s2s2.data.identity import identities
from s2s2.data.split import Split
from s2s2.errors import EvaluationError
from s2s2.networks.config import NetworkConfig
from s2s2.pipeline.reporter import Reporter
from s2s2.run.folder import scores_file
from s2s2.run.names import without_options
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
        return f"{without_options(self.arm)} seed {self.seed}"


def run_training(task: Training, update: Progress) -> FitResult:
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


def _test_domain(task: Training, domain: str, dataset: Dataset, update: Progress) -> None:
    from s2s2.core.tables import write_table
    from s2s2.evaluation.predict import predict
    from s2s2.evaluation.score import score

    scores_path = scores_file(task.folder, domain)
    record = Record(
        task.folder / f".{domain}.done.json",
        {
            "weights": file_identity(task.folder / "network" / "weights.safetensors"),
            "cases": identities(dataset),
            "class_map": dataset.class_map.to_dict(),
            "tolerance": task.tolerance,
        },
    )
    if record.holds():
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
    record.finish(outputs=[scores_path, *folder.glob("*.png")])


def run_trainings(tasks: Sequence[Training], jobs: int, reporter: Reporter) -> dict[str, FitResult]:
    """Run every task, `jobs` of them side by side, and return the results by name.

    Raises:
        S2S2Error: The first error of a task; the other tasks that run are finished first,
            so that nothing they made is lost.
    """
    updates = [reporter.task(task.name) for task in tasks]
    results = side_by_side(run_training, tasks, updates, jobs=jobs, threads=tasks[0].threads)
    return {task.name: result for task, result in zip(tasks, results, strict=True)}
