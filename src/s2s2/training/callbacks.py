"""Callbacks of a training: the best network and the history of each validation."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import Callback

from s2s2.core.engine.callbacks import History
from s2s2.networks.checkpoint import NetworkCard, save_network
from s2s2.objective import Collapse, Terms
from s2s2.objective.sides import SIDES
from s2s2.training.module import VALIDATION, StackingModule

METERS = tuple(f"{side}_{name}" for side in SIDES for name in Collapse._fields)
COLUMNS = ("step", *Terms._fields, *METERS, *VALIDATION)


class BestNetwork(Callback):
    """Saves the network whenever the validation Dice rises above all before."""

    def __init__(self, module: StackingModule, folder: Path, card: NetworkCard) -> None:
        self.module, self.folder, self.card = module, folder, card
        self.best = -1.0

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Compare, and save from one process only."""
        if self.module.validation_dice <= self.best or trainer.sanity_checking:
            return
        self.best = self.module.validation_dice
        if trainer.is_global_zero:
            save_network(self.folder, self.module.network, self.card)

    def state_dict(self) -> dict[str, Any]:
        """Return the best Dice so far."""
        return {"best": self.best}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from the best Dice so far."""
        self.best = float(state_dict["best"])


class TrainingHistory(History):
    """One row of loss terms, meters and validation Dice for each interval; NaN where there is none."""

    def __init__(self, module: StackingModule, path: Path) -> None:
        super().__init__(path, COLUMNS)
        self.module = module

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Add a row."""
        row = dict.fromkeys(COLUMNS, math.nan) | {"step": trainer.global_step}
        row |= self.module.interval_means() | self.module.interval_meters()
        self.add(trainer, row | self.module.validation)
