"""Training of one arm with one seed: resumable, and finished only when its record says so."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning as L
import torch

from s2s2.arms import get_arm
from s2s2.core.engine.callbacks import StepProgress
from s2s2.core.engine.trainer import finish_once, optimise
from s2s2.core.progress import Progress
from s2s2.core.records import Record
from s2s2.data.split import TrainingData
from s2s2.errors import TrainingError
from s2s2.networks.build import build_network, completed
from s2s2.networks.checkpoint import CARD, WEIGHTS
from s2s2.networks.config import NetworkConfig
from s2s2.stack import LiveStack, Stack
from s2s2.training.callbacks import BestNetwork, TrainingHistory
from s2s2.training.config import TrainConfig
from s2s2.training.data_module import PairModule, images_per_step, side_of
from s2s2.training.log import keep_log, training_log
from s2s2.training.module import StackingModule
from s2s2.training.recipe import Recipe, objective_of
from s2s2.training.rehearsal import rehearse

RECORD = "fit.json"
HISTORY = "history.csv"
_RESULTS = ("best_dice", "steps", "images_seen", "seconds")
_ADVICE = "Give another output folder, or delete this one to train again."


@dataclass(frozen=True)
class FitResult:
    """What a finished training leaves behind.

    Args:
        network_folder: Weights and card of the network that was best on the validation split.
        best_dice: Its validation Dice, mean over cases and then over classes.
        steps: Optimiser steps taken.
        images_seen: Images that went through the network, real and synthetic.
        seconds: Wall-clock time of this call; of the whole training if never interrupted.
    """

    network_folder: Path
    best_dice: float
    steps: int
    images_seen: int
    seconds: float


def fit(
    data: TrainingData,
    stack: Stack | LiveStack | None,
    output: Path,
    *,
    network: NetworkConfig | None = None,
    config: TrainConfig | None = None,
    arm: str = "s2s2",
    seed: int = 0,
    progress: Progress | None = None,
) -> FitResult:
    """Train a network on the training split and keep the best on the validation split.

    A call that was interrupted goes on at the last validation; one that is finished
    returns at once.

    Args:
        data: From `Split.training`; test cases are out of reach.
        stack: Synthetic images of the training cases; needed by the arms that show them.
        output: Folder to write to: network/, history.csv, tensorboard/, fit.json.
        network: Which network and where its features are tapped.
        config: Settings of the training.
        arm: Name of the arm, see `s2s2.arms`.
        seed: Of weights and of every draw.
        progress: Called after each step.

    Raises:
        NetworkError: If the network cannot be trained so; nothing is written then.
        TrainingError: If the folder holds a training of other inputs (each is named), if a split
            is empty, or if the loss is not finite.
        StackError: If the stack does not fit the training cases.
        StorageError: If a file cannot be written, or another process trains there.
    """
    chosen = get_arm(arm)
    recipe = Recipe(
        data=data,
        stack=stack if chosen.view == "stack" else None,
        network=completed(network or NetworkConfig()),
        config=config or TrainConfig(),
        arm=chosen,
        seed=seed,
    )
    recipe.check()
    record = Record(output / RECORD, recipe.inputs(), error=TrainingError)
    before = record.done(_ADVICE)
    if before is None:
        rehearse(
            recipe.network,
            recipe.config,
            chosen,
            channels=data.train.channels,
            classes=len(data.train.class_map),
            side=recipe.config.patch or side_of(data),
        )
    network_folder = output / "network"
    made = [network_folder / WEIGHTS, network_folder / CARD, output / HISTORY]
    done = finish_once(record, _ADVICE, lambda: _train(recipe, record, progress), lambda: made)
    keep_log(output / HISTORY, made=before is None)
    return FitResult(network_folder, *(done[name] for name in _RESULTS))


def _train(recipe: Recipe, record: Record, progress: Progress | None) -> tuple[L.Trainer, dict[str, Any]]:
    """Train to the end; return the trainer and the fields of `FitResult` but the folder."""
    started, output = time.monotonic(), record.path.parent
    torch.manual_seed(recipe.seed)
    config, train = recipe.config, recipe.data.train
    loader = PairModule(recipe.data, recipe.stack, recipe.arm, config, seed=recipe.seed)
    network = build_network(
        recipe.network,
        channels=train.channels,
        classes=len(train.class_map),
        size=config.patch or loader.side,
    )
    objective = objective_of(recipe.network, config, recipe.arm)
    module = StackingModule(network, objective, recipe.normalisation, config)
    best = BestNetwork(module, output / "network", recipe.card())

    def words(_step: int) -> str:
        dice = module.validation_dice
        return "" if math.isnan(dice) else f"validation Dice {dice:.3f}"

    trainer = optimise(
        module,
        loader,
        record,
        config,
        callbacks=[
            StepProgress(progress, config.epochs * config.interval, words),
            best,
            TrainingHistory(module, output / HISTORY),
        ],
        logger=training_log(output),
    )
    module.objective.close()
    steps, seconds = trainer.global_step, time.monotonic() - started
    images = steps * images_per_step(recipe.arm, config)
    return trainer, dict(zip(_RESULTS, (best.best, steps, images, seconds), strict=True))


def is_finished(output: Path) -> bool:
    """Whether a folder holds a training that was done to its end, and all its files."""
    return Record(output / RECORD, {}, error=TrainingError).is_finished
