"""Train one arm with one seed: resumable, and finished only when its record says so."""

from __future__ import annotations

import hashlib
import json
import logging
import math
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.loggers import TensorBoardLogger
from torch import Tensor

from s2s2.data.split import TrainingData
from s2s2.data.storage import storage_errors, write_json
from s2s2.errors import TrainingError
from s2s2.networks.build import NetworkConfig, build_network, taps
from s2s2.networks.checkpoint import NetworkCard
from s2s2.networks.normalisation import default_normalisation
from s2s2.objective import ConsistencyLoss, SemanticStacking
from s2s2.stack.store import Stack
from s2s2.training.arms import Arm, get_arm
from s2s2.training.callbacks import BestNetwork, History, Progress, StepProgress, TrainingState
from s2s2.training.config import TrainConfig
from s2s2.training.data_module import PairModule, images_per_step
from s2s2.training.module import StackingModule


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
        arm: Name of the arm, see `s2s2.training.arms`.
        seed: Of weights and of every draw.
        progress: Called after each step.

    Raises:
        TrainingError: If the folder holds a training with other settings, if a split is
            empty, or if the loss is not finite.
        StackError: If the stack does not fit the training cases.
        StorageError: If a file cannot be written.
    """
    network, config, chosen = network or NetworkConfig(), config or TrainConfig(), get_arm(arm)
    _check_data(data, stack if chosen.view == "stack" else None)
    print_ = fingerprint(data, stack if chosen.view == "stack" else None, network, config, arm, seed)
    record = _read_record(output, print_)
    if record.get("finished"):
        return FitResult(
            output / "network", *(record[key] for key in ("best_dice", "steps", "images_seen", "seconds"))
        )
    with storage_errors(output), _quiet():
        output.mkdir(parents=True, exist_ok=True)
        write_json(output / "fit.json", {"format": 1, "fingerprint": print_, "finished": False})
        return _run(data, stack, output, network, config, chosen, seed, print_, progress)


def _run(
    data: TrainingData,
    stack: Stack | None,
    output: Path,
    network: NetworkConfig,
    config: TrainConfig,
    arm: Arm,
    seed: int,
    print_: str,
    progress: Progress | None,
) -> FitResult:
    started = time.monotonic()
    torch.manual_seed(seed)
    model = build_network(network, channels=data.train.channels, classes=len(data.train.class_map))
    normalisation = default_normalisation(data.train.channels)
    module = StackingModule(model, _objective(network, config, arm), normalisation, config)
    epochs = math.ceil(config.steps / config.interval)
    best = BestNetwork(output / "network", _card(data, network, config, arm, seed))
    callbacks: list[L.Callback] = [
        best,
        History(output / "history.csv"),
        TrainingState(output / "state.ckpt"),
    ]
    if progress is not None:
        callbacks.insert(0, StepProgress(progress, epochs * config.interval))
    trainer = L.Trainer(
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
    state = output / "state.ckpt"
    loader = PairModule(data, stack, arm, config, seed=seed)
    trainer.fit(module, loader, ckpt_path=str(state) if state.exists() else None, weights_only=True)
    module.objective.close()
    return _finish(output, print_, best.best, trainer.global_step, images_per_step(arm, config), started)


def _finish(output: Path, print_: str, dice: float, steps: int, images: int, started: float) -> FitResult:
    result = FitResult(output / "network", dice, steps, steps * images, time.monotonic() - started)
    fields = {key: value for key, value in asdict(result).items() if key != "network_folder"}
    write_json(output / "fit.json", {"format": 1, "fingerprint": print_, "finished": True, **fields})
    (output / "state.ckpt").unlink(missing_ok=True)
    return result


def _objective(network: NetworkConfig, config: TrainConfig, arm: Arm) -> SemanticStacking:
    encoder, decoder = taps(network)
    return SemanticStacking(
        dice_cross_entropy(),
        encoder=encoder,
        decoder=decoder,
        alpha_enc=config.alpha_enc if arm.consistency else 0.0,
        alpha_dec=config.alpha_dec if arm.consistency else 0.0,
        w_syn=config.w_syn if arm.view is not None else 0.0,
        consistency=ConsistencyLoss(distance=config.distance, weighting=config.weighting),
        forward_pass=config.forward_pass,
    )


class dice_cross_entropy:  # noqa: N801 - a function with one stored loss
    """MONAI's soft Dice plus cross-entropy of logits and a label map.

    Dice is taken over the whole batch and the foreground classes, so that an image
    without a class does not pull that class's score to zero.

    Shape:
        - logits: (batch, class, height, width).
        - mask: (batch, height, width), class ids.
        - returns: a scalar.
    """

    def __init__(self) -> None:
        from monai.losses.dice import DiceCELoss

        self.loss = DiceCELoss(softmax=True, to_onehot_y=True, include_background=False, batch=True)

    def __call__(self, logits: Tensor, mask: Tensor) -> Tensor:
        """Return the loss."""
        result: Tensor = self.loss(logits, mask[:, None])
        return result


def fingerprint(
    data: TrainingData, stack: Stack | None, network: NetworkConfig, config: TrainConfig, arm: str, seed: int
) -> str:
    """Name everything that the trained weights depend on, in one short digest."""
    parts = {
        "train": data.train.ids,
        "validation": data.validation.ids,
        "size": data.train.size,
        "class_map": data.train.class_map.to_dict(),
        "stack": None if stack is None else {**stack.manifest, "software": None},
        "network": asdict(network),
        "config": asdict(config),
        "arm": arm,
        "seed": seed,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]


def _check_data(data: TrainingData, stack: Stack | None) -> None:
    for name, part in (("training", data.train), ("validation", data.validation)):
        if not len(part):
            raise TrainingError(
                f"The {name} split is empty, and training needs cases to learn from and others to choose the "
                "network by. Give the split more cases or larger fractions."
            )
    if stack is not None:
        stack.verify(data.train)


def _read_record(output: Path, print_: str) -> dict[str, Any]:
    path = output / "fit.json"
    if not path.exists():
        return {}
    record: dict[str, Any] = json.loads(path.read_text())
    if record.get("fingerprint") != print_:
        raise TrainingError(
            f"{output} holds a training with other settings, cases or another stack (fingerprint "
            f"{record.get('fingerprint')}, now {print_}). Nothing was changed. Give another output folder, "
            "or delete this one to train anew."
        )
    return record


def _card(
    data: TrainingData, network: NetworkConfig, config: TrainConfig, arm: Arm, seed: int
) -> NetworkCard:
    return NetworkCard(
        network=network,
        channels=data.train.channels,
        size=data.train.size,
        patch=config.patch,
        class_map=data.train.class_map,
        normalisation=default_normalisation(data.train.channels),
        split={"train": data.train.ids, "validation": data.validation.ids},
        arm=arm.name,
        seed=seed,
        domain=data.train.domain,
        training=asdict(config),
    )


def _precision(config: TrainConfig) -> Any:
    if config.precision != "auto":
        return config.precision
    return "16-mixed" if torch.cuda.is_available() else "32-true"


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Lightning's tips and start-up lines out of the user's terminal."""
    logger = logging.getLogger("lightning.pytorch")
    level = logger.level
    logger.setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="lightning")
        try:
            yield
        finally:
            logger.setLevel(level)
