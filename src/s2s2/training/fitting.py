"""Train one arm with one seed: resumable, and finished only when its record says so."""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.loggers import TensorBoardLogger

from s2s2.arms import get_arm
from s2s2.core.progress import Progress
from s2s2.core.quiet import lightning_in
from s2s2.core.storage import read_json, write_json
from s2s2.data.split import TrainingData
from s2s2.errors import TrainingError
from s2s2.networks.build import build_network
from s2s2.networks.config import NetworkConfig
from s2s2.stack.store import Stack
from s2s2.training.callbacks import BestNetwork, History, StepProgress, TrainingState
from s2s2.training.config import TrainConfig
from s2s2.training.data_module import PairModule, images_per_step
from s2s2.training.module import StackingModule
from s2s2.training.recipe import Recipe

RECORD = "fit.json"
STATE = "state.ckpt"


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
    stack: Stack | None,
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
        TrainingError: If the folder holds a training with other settings, if a split is
            empty, or if the loss is not finite.
        StackError: If the stack does not fit the training cases.
        StorageError: If a file cannot be written, or another process trains there.
    """
    chosen = get_arm(arm)
    recipe = Recipe(
        data=data,
        stack=stack if chosen.view == "stack" else None,
        network=network or NetworkConfig(),
        config=config or TrainConfig(),
        arm=chosen,
        seed=seed,
    )
    recipe.check()
    if (finished := _finished(output, recipe)) is not None:
        return finished
    with lightning_in(output):
        # Whoever had the folder until now may have finished.
        if (finished := _finished(output, recipe)) is not None:
            return finished
        _write_record(output, recipe, {"finished": False})
        result = _run(recipe, output, progress)
        fields = {name: value for name, value in asdict(result).items() if name != "network_folder"}
        _write_record(output, recipe, {"finished": True, **fields})
        (output / STATE).unlink(missing_ok=True)
    return result


def _run(recipe: Recipe, output: Path, progress: Progress | None) -> FitResult:
    started = time.monotonic()
    torch.manual_seed(recipe.seed)
    config, train = recipe.config, recipe.data.train
    loader = PairModule(recipe.data, recipe.stack, recipe.arm, config, seed=recipe.seed)
    network = build_network(
        recipe.network,
        channels=train.channels,
        classes=len(train.class_map),
        size=config.patch or loader.side,
    )
    module = StackingModule(network, recipe.objective(), recipe.normalisation, config)
    best = BestNetwork(output / "network", recipe.card())
    trainer = _trainer(config, output, best, progress)
    state = output / STATE
    trainer.fit(module, loader, ckpt_path=str(state) if state.exists() else None, weights_only=True)
    module.objective.close()
    return FitResult(
        network_folder=output / "network",
        best_dice=best.best,
        steps=trainer.global_step,
        images_seen=trainer.global_step * images_per_step(recipe.arm, config),
        seconds=time.monotonic() - started,
    )


def _trainer(config: TrainConfig, output: Path, best: BestNetwork, progress: Progress | None) -> L.Trainer:
    epochs = math.ceil(config.steps / config.interval)
    callbacks: list[L.Callback] = [
        best,
        History(output / "history.csv"),
        # Last, so that what it saves holds what the others did.
        TrainingState(output / STATE),
    ]
    if progress is not None:
        callbacks.insert(0, StepProgress(progress, epochs * config.interval))
    return L.Trainer(
        accelerator="auto",
        devices=config.devices,
        num_nodes=config.nodes,
        precision=_precision(config),
        max_epochs=epochs,
        reload_dataloaders_every_n_epochs=1,
        use_distributed_sampler=False,
        gradient_clip_val=config.clip_norm or None,
        num_sanity_val_steps=0,
        callbacks=callbacks,
        logger=TensorBoardLogger(str(output), name="tensorboard", version=""),
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )


def is_finished(output: Path) -> bool:
    """Whether a folder holds a training that was done to its end."""
    return (output / RECORD).exists() and bool(
        read_json(output / RECORD, error=TrainingError).get("finished")
    )


def _finished(output: Path, recipe: Recipe) -> FitResult | None:
    """Return what a finished training left in the folder; another training's folder is refused."""
    record = _read_record(output, recipe.fingerprint())
    if not record.get("finished"):
        return None
    names = ("best_dice", "steps", "images_seen", "seconds")
    return FitResult(output / "network", *(record[name] for name in names))


def _read_record(output: Path, fingerprint: str) -> dict[str, Any]:
    path = output / RECORD
    if not path.exists():
        return {}
    record = read_json(path, error=TrainingError)
    if record.get("fingerprint") != fingerprint:
        raise TrainingError(
            f"{output} holds a training with other settings, cases or another stack (fingerprint "
            f"{record.get('fingerprint')}, now {fingerprint}). Nothing was changed. Give another output "
            "folder, or delete this one to train anew."
        )
    return record


def _write_record(output: Path, recipe: Recipe, fields: dict[str, Any]) -> None:
    write_json(output / RECORD, {"fingerprint": recipe.fingerprint(), **fields})


def _precision(config: TrainConfig) -> Any:
    if config.precision != "auto":
        return config.precision
    return "16-mixed" if torch.cuda.is_available() else "32-true"
