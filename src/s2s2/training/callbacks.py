"""What happens at each validation: keep the best network, note the curves, be able to go on."""

from __future__ import annotations

import csv
import math
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import Callback

from s2s2.core.progress import Progress
from s2s2.core.storage import atomic
from s2s2.networks.checkpoint import NetworkCard, save_network
from s2s2.training.module import StackingModule

COLUMNS = ("step", "total", "segmentation", "synthetic", "encoder", "decoder", "validation_dice")


class BestNetwork(Callback):
    """Saves the network whenever the validation Dice rises above all before."""

    def __init__(self, folder: Path, card: NetworkCard) -> None:
        self.folder = folder
        self.card = card
        self.best = -1.0

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Compare, and save from one process only."""
        module = _stacking(pl_module)
        if module.validation_dice <= self.best or trainer.sanity_checking:
            return
        self.best = module.validation_dice
        if trainer.is_global_zero:
            save_network(self.folder, module.network, self.card)

    def state_dict(self) -> dict[str, Any]:
        """Return the best Dice so far."""
        return {"best": self.best}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from the best Dice so far."""
        self.best = float(state_dict["best"])


class History(Callback):
    """Writes one row of loss terms and validation Dice for each interval to a CSV file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: list[dict[str, float]] = []

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Add a row and rewrite the file, which is small."""
        module = _stacking(pl_module)
        row = {"step": trainer.global_step, **module.interval_means()}
        row["validation_dice"] = module.validation_dice
        self.rows.append(row)
        if trainer.logger is not None:
            trainer.logger.log_metrics(
                {key: value for key, value in row.items() if key != "step" and math.isfinite(value)},
                step=trainer.global_step,
            )
        if trainer.is_global_zero:
            with atomic(self.path) as temporary, open(temporary, "w", newline="") as file:
                writer = csv.DictWriter(file, COLUMNS, extrasaction="ignore")
                writer.writeheader()
                writer.writerows(self.rows)

    def state_dict(self) -> dict[str, Any]:
        """Return the rows so far."""
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on after the rows so far."""
        self.rows = list(state_dict["rows"])


class TrainingState(Callback):
    """Keeps all that is needed to go on after a kill, replaced as a whole or not at all."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Write beside the old state, then take its place."""
        # All processes take part in saving; the first alone writes.
        with atomic(self.path) if trainer.is_global_zero else nullcontext(self.path) as target:
            trainer.save_checkpoint(target)


class StepProgress(Callback):
    """Tells how far the training is, after every step."""

    def __init__(self, progress: Progress, steps: int) -> None:
        self.progress = progress
        self.steps = steps

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Report the step and the last validation."""
        dice = _stacking(pl_module).validation_dice
        words = "" if math.isnan(dice) else f"validation Dice {dice:.3f}"
        self.progress(trainer.global_step, self.steps, words)


def _stacking(module: L.LightningModule) -> StackingModule:
    if not isinstance(module, StackingModule):
        raise TypeError(f"These callbacks go with StackingModule, got {type(module).__name__}.")
    return module
