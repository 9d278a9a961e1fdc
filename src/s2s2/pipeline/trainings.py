"""Training all arms and seeds, side by side: each network predicts every domain and is scored."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

from s2s2.core.progress import Progress
from s2s2.core.records import Record, file_identity, recall_identities
from s2s2.core.storage import remove_leftovers, storage_errors
from s2s2.core.tables import write_table
from s2s2.core.timing import duration
from s2s2.core.workers import side_by_side
from s2s2.data.dataset import Dataset
from s2s2.data.identity import identities
from s2s2.data.split import Split
from s2s2.errors import EvaluationError
from s2s2.networks.checkpoint import WEIGHTS
from s2s2.pipeline.stacks import open_stack
from s2s2.pipeline.stage import Context, Row, Stage
from s2s2.pipeline.timing import training_seconds
from s2s2.run.config import RunConfig
from s2s2.run.folder import RunFolder, TrainingFolder, generator_of
from s2s2.run.names import without_options
from s2s2.training.fitting import FitResult, fit, is_finished

_LONG_S = 3600.0
"""From here on a run without a GPU is shown a quicker one, in seconds."""


@dataclass(frozen=True)
class Training:
    """One arm with one seed, and what it is tested on.

    Args:
        folder: Where all of it is kept.
        arm: Name of the arm.
        seed: Of weights and draws.
        home: All home cases; the split decides which are learnt from.
        split: Division of the home cases.
        stack: Folder of the stack, or None.
        tests: Cases to predict and score, by domain, on their own grid.
        config: Settings of the run.
        threads: CPU threads to use.
    """

    folder: TrainingFolder
    arm: str
    seed: int
    home: Dataset
    split: Split
    stack: Path | None
    tests: dict[str, Dataset]
    config: RunConfig
    threads: int


def run_training(task: Training, update: Progress) -> FitResult:
    """Train, predict and score one arm and seed; what is done already is kept."""
    with _threads(task.threads):
        return _run_training(task, update)


@contextmanager
def _threads(number: int) -> Iterator[None]:
    """Compute with so many threads: weights depend on their number, so what comes after keeps its own."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _run_training(task: Training, update: Progress) -> FitResult:
    recall_identities(RunFolder(task.config.output).identities)
    from s2s2.generators.registry import import_paths

    spec = generator_of(task.config, task.arm)
    home = task.home.resized(task.config.size)
    result = fit(
        task.split.training(home),
        open_stack(
            task.stack,
            home,
            task.split,
            live=task.config.stack.depth == "live",
            trust=import_paths(spec) if spec else (),
        ),
        task.folder.root,
        network=task.config.network,
        config=task.config.train,
        arm=task.arm,
        seed=task.seed,
        progress=update,
    )
    for domain, dataset in task.tests.items():
        _test(task, domain, dataset, update)
    update(1, 1, f"validation Dice {result.best_dice:.3f}")
    return result


def _test(task: Training, domain: str, dataset: Dataset, update: Progress) -> None:
    from s2s2.evaluation.predict import predict
    from s2s2.evaluation.score import score

    scores_path, predictions = task.folder.scores(domain), task.folder.predictions(domain)
    record = Record(
        task.folder.tested(domain),
        {
            "weights": file_identity(task.folder.network / WEIGHTS),
            "cases": identities(dataset),
            "class_map": dataset.class_map.to_dict(),
            "tolerance": task.config.tolerance,
            "flips": task.config.flips,
        },
    )
    if record.holds():
        return
    with storage_errors(predictions.root):
        record.forget()
        shutil.rmtree(predictions.root, ignore_errors=True)
        remove_leftovers(scores_path.parent)
    report = predict(
        task.folder.network,
        dataset,
        predictions.root,
        overwrite=True,
        progress=lambda done, total: update(done, total, f"predicting {domain}"),
        known=task.config.network,
        flips=task.config.flips,
    )
    if report.failed:
        name, message = next(iter(report.failed.items()))
        raise EvaluationError(
            f"{len(report.failed)} of {len(dataset)} images of {domain} could not be predicted; the first is "
            f"{name}: {message} Fix or remove them and run the same command again."
        )
    update(len(dataset), len(dataset), f"scoring {domain}")
    scores = score(predictions.root, dataset, tolerance=task.config.tolerance)
    scores.insert(0, "seed", task.seed)
    scores.insert(0, "arm", task.arm)
    write_table(scores, scores_path)
    label_maps = [
        predictions.label_map(output.id, output.suffix)
        for volume in dataset.volumes
        for output in volume.outputs
    ]
    record.finish(outputs=[scores_path, predictions.facts_path, *label_maps])


def sooner(config: RunConfig) -> str:
    """Return advice for a machine without a GPU: the options that make a run of these settings shorter.

    Example:
        >>> sooner(RunConfig(data=Path("home"), output=Path("run"), size=96, seeds=3))
        '. There is no GPU: --train.steps 300 --seeds 1 gives a first answer sooner'
    """
    shorter = {
        "--size 128": config.size > 128,
        "--train.steps 300": config.train.steps > 300,
        "--seeds 1": config.seeds > 1,
    }
    options = " ".join(option for option, holds in shorter.items() if holds)
    return f". There is no GPU: {options} gives a first answer sooner" if options else ""


class Train(Stage):
    """Trains, predicts and scores every arm with every seed."""

    name = "train"
    needs = ("split", "stack")

    def detail(self, context: Context) -> str:
        """Say what the trainings are, and how long they may take where some are left."""
        number, steps = len(context.trainings), context.config.train.steps
        left = sum(not is_finished(context.folder.training(*each).root) for each in context.trainings)
        words = f"{number} trainings of {steps} steps, predictions, scores; {left} to do"
        if not left:
            return words
        seconds = sum(self._seconds(context)) * left
        words += f"; about {duration(seconds)}"
        if seconds > _LONG_S and not torch.cuda.is_available():
            words += sooner(context.config)
        return words

    def run(self, context: Context) -> None:
        """Run what is not finished, side by side.

        Raises:
            S2S2Error: The first error of a training; the others that run are finished first,
                so that nothing they made is lost.
        """
        stacks = context.folder.stacks(context.config)
        tasks = [
            Training(
                folder=context.folder.training(arm, seed),
                arm=arm,
                seed=seed,
                home=context.data.home,
                split=context.split,
                stack=stacks.get(generator_of(context.config, arm) or ""),
                tests=context.tests,
                config=context.config,
                threads=max(1, (os.cpu_count() or 1) // context.jobs),
            )
            for arm, seed in context.trainings
        ]
        updates = [context.reporter.task(f"{without_options(each.arm)} seed {each.seed}") for each in tasks]
        side_by_side(run_training, tasks, updates, jobs=context.jobs, threads=tasks[0].threads)

    def estimate(self, context: Context) -> list[Row]:
        """Time a training step and a prediction."""
        number, cases = len(context.trainings), sum(map(len, context.tests.values()))
        train, predict = self._seconds(context)
        words = f"{number} trainings of {context.config.train.steps} steps, {context.jobs} side by side"
        return [
            Row(self.name, words, number * train),
            Row("predict", f"{number} times {cases} cases", number * predict),
        ]

    def _seconds(self, context: Context) -> tuple[float, float]:
        """Return what one training and its predictions add to the time of the run."""
        tests = sum(map(len, context.tests.values()))
        return training_seconds(context.config, context.data, tests, context.jobs)
