"""Run of a tuning: resumable, and finished only when its record says so."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lightning as L
from torch.utils.data import Dataset as Items

from s2s2.core.engine.callbacks import StepProgress
from s2s2.core.engine.trainer import StepData, finish_once, optimise
from s2s2.core.progress import Progress
from s2s2.core.software import versions
from s2s2.core.storage import whole_files
from s2s2.data.dataset import Dataset
from s2s2.errors import GeneratorError
from s2s2.generators.learning import Judge
from s2s2.generators.tuning.callbacks import HISTORY, SAMPLES, Checks, LossWatch
from s2s2.generators.tuning.config import TuneConfig
from s2s2.generators.tuning.ema import AveragedWeights
from s2s2.generators.tuning.grid import JudgedCases
from s2s2.generators.tuning.memory import batch_that_fits, memory_errors
from s2s2.generators.tuning.module import TunedModule
from s2s2.generators.tuning.record import ADVICE, tuning_record, weights_digest

FEWEST = 8
"""Fewer training cases than this teach a generator nothing but themselves."""


def run_tuning(
    module: TunedModule,
    items: Items[Any],
    folder: Path,
    config: TuneConfig,
    *,
    train: Dataset,
    about: Mapping[str, Any],
    judge: Judge | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Tune a module on items and keep its averaged weights.

    A call that was interrupted goes on at the last check, to the same weights as an
    undisturbed one on the same machine; one that is finished returns at once.

    Args:
        module: What learns.
        items: `items[number, turn]` is the item for the turn-th pass over all, so that
            augmentation depends on the two numbers alone.
        folder: Where weights, tuned.json, history.csv and samples/ go.
        config: Settings.
        train: The training cases on the working grid, for the pictures and the judge.
        about: What else the weights depend on, by name, ready for JSON.
        judge: Of the samples; the weights that it likes best are kept. None keeps the last.
        progress: Called after each step.

    Returns the record in tuned.json.

    Raises:
        GeneratorError: If there are too few cases, the folder holds another tuning, memory
            is short or the loss is not finite.
        StorageError: If a file cannot be written, or another process tunes there.
    """
    _check_cases(train)
    record = tuning_record(folder, about, config, train)

    doing = f"while tuning with batch {config.batch}; the last check is kept"

    @memory_errors(doing, batch_that_fits(config.batch, config.accumulate))
    def tune() -> tuple[L.Trainer, dict[str, Any]]:
        ema = AveragedWeights(module.learnt, config.ema)
        judged = JudgedCases.drawn(train, config.judged, config.seed)
        checks = Checks(module, folder, ema, judged, judge)
        trainer = optimise(
            module,
            StepData(items, config, batch=config.batch, seed=config.seed, purpose="tuning order"),
            record,
            config,
            callbacks=[ema, StepProgress(progress, config.steps, LossWatch(checks).words), checks],
            accumulate=config.accumulate,
        )
        if not trainer.is_global_zero:
            return trainer, {}
        weights = weights_digest(module.weights_file(folder))
        software = versions("torch", "lightning", "monai", "diffusers", "transformers")
        found = {"steps": trainer.global_step, **checks.summary(), "weights": weights}
        return trainer, {**found, "software": software}

    return finish_once(record, ADVICE, tune, lambda: _files(module.weights_file(folder), folder))


def _files(weights: Path, folder: Path) -> list[Path]:
    """Return what a tuning leaves behind: weights and what lies with them, curve, samples."""
    beside = [] if weights.parent == folder else whole_files(weights.parent, "*.json")
    return [weights, *beside, folder / HISTORY, *whole_files(folder / SAMPLES, "*.jpg")]


def _check_cases(train: Dataset) -> None:
    if len(train) < FEWEST:
        raise GeneratorError(
            f"The training split has {len(train)} cases, and a generator that learns needs {FEWEST} at the "
            "very least, better some hundred: from so few it learns nothing but them. Give more cases to "
            "training, or take a generator that needs no tuning, such as composite or appearance."
        )
