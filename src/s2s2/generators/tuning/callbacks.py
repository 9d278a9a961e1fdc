"""Callbacks of a tuning: checks of its samples, and a watch over its loss."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
import torch

from s2s2.core.engine.callbacks import History, require_finite
from s2s2.core.types import Image
from s2s2.data.case import Case
from s2s2.errors import GeneratorError
from s2s2.generators.learning import Judge
from s2s2.generators.tuning.config import TuneConfig
from s2s2.generators.tuning.ema import AveragedWeights
from s2s2.generators.tuning.grid import JudgedCases, draw_samples
from s2s2.generators.tuning.module import TunedModule

COLUMNS = ("step", "loss", "agreement", "learning_rate", "images_per_second")
HISTORY = "history.csv"
SAMPLES = "samples"
"""Folder of the pictures of samples."""
DRAWN_ROWS = 6
DRAWN_COPIES = 3
EQUAL = 0.01
"""Agreements this close are one: the later weights, which have learnt more, are kept."""
PEEK = 20
"""Steps between two peeks at the loss, which a GPU must be waited for."""


class Checks(History):
    """Samples the averaged weights, has them judged, draws them, and keeps the best.

    Args:
        module: What learns.
        folder: Where weights, pictures and the curve go.
        ema: The averaged weights.
        judged: The cases that are sampled.
        judge: Of their samples, or None to keep the last weights.
    """

    def __init__(
        self,
        module: TunedModule,
        folder: Path,
        ema: AveragedWeights,
        judged: JudgedCases,
        judge: Judge | None,
    ) -> None:
        super().__init__(folder / HISTORY, COLUMNS)
        self.module, self.config, self.folder = module, module.config, folder
        self.ema, self.judged, self.judge = ema, judged, judge
        self.best = -1.0
        self.best_step = 0
        self.kept = 0
        self.without_gain = 0
        self._images, self._since = 0, time.monotonic()

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Stop where a killed tuning had stopped already."""
        trainer.should_stop = self._exhausted()

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Count the images of the interval from here."""
        self._images, self._since = trainer.global_step, time.monotonic()

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Judge, draw, keep, and note a row of the curve."""
        step = trainer.global_step
        loss = _finite(self.module.interval_loss(), step, self.config)
        images = (step - self._images) * self.config.batch * self.config.accumulate * trainer.world_size
        speed = images / max(1e-9, time.monotonic() - self._since)
        agreement = math.nan
        if trainer.is_global_zero:
            with self.ema.applied(), torch.inference_mode():
                agreement = self._judged(step)
                if self._is_kept(agreement):
                    self.kept = step
                    self.module.write(self.folder)
        agreement = trainer.strategy.broadcast(agreement)
        self._count(agreement, step)
        rate = trainer.optimizers[0].param_groups[0]["lr"]
        self.add(trainer, dict(zip(COLUMNS, (step, loss, agreement, rate, speed), strict=True)))
        if self._exhausted():
            trainer.should_stop = True

    def _judged(self, step: int) -> float:
        """Draw samples and return their mean agreement, NaN without a judge."""
        cases = self.judged.cases if self.judge is not None else self.judged.cases[:DRAWN_ROWS]
        first = self._sample([(case, 0) for case in cases])
        shown = cases[:DRAWN_ROWS]
        wanted = [(case, number) for case in shown for number in range(1, DRAWN_COPIES)]
        more = self._sample(wanted)
        each = DRAWN_COPIES - 1
        rows = [(case, [first[row], *more[row * each : (row + 1) * each]]) for row, case in enumerate(shown)]
        draw_samples(self.folder / SAMPLES / f"step-{step:06d}.jpg", self.judged, rows)
        if self.judge is None:
            return math.nan
        images, masks = self.judged.square(first)
        return float(np.nanmean(self.judge(images, masks, [case.id for case in cases])))

    def _sample(self, wanted: Sequence[tuple[Case, int]]) -> list[Image]:
        images: list[Image] = []
        for start in range(0, len(wanted), self.config.batch):
            cases, numbers = zip(*wanted[start : start + self.config.batch], strict=True)
            images += self.module.sample(cases, numbers, self.config.seed)
        return images

    def _is_kept(self, agreement: float) -> bool:
        return math.isnan(agreement) or agreement >= self.best - EQUAL

    def _count(self, agreement: float, step: int) -> None:
        """Note whether this check gained."""
        gained = not math.isnan(agreement) and agreement > self.best + EQUAL
        self.without_gain = 0 if gained or math.isnan(agreement) else self.without_gain + 1
        if agreement > self.best:
            self.best, self.best_step = agreement, step

    def summary(self) -> dict[str, Any]:
        """Return which check was kept and which the judge liked best."""
        best = self.best if self.best >= 0 else None
        return {"kept_step": self.kept, "best_agreement": best, "best_step": self.best_step}

    def _exhausted(self) -> bool:
        return 0 < self.config.patience <= self.without_gain

    def state_dict(self) -> dict[str, Any]:
        """Return what was judged so far."""
        names = ("rows", "best", "best_step", "kept", "without_gain")
        return {name: getattr(self, name) for name in names}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from there."""
        for name, value in state_dict.items():
            setattr(self, name, value)


class LossWatch:
    """Words on the loss and the agreement, and a stop where the loss is not finite."""

    def __init__(self, checks: Checks) -> None:
        self.module, self.checks = checks.module, checks
        self._words, self._seen = "", (0, 0.0)

    def words(self, step: int) -> str:
        """Return what is known after a step.

        Raises:
            GeneratorError: If the loss is not finite; this is seen every `PEEK` steps.
        """
        if step % PEEK == 0 and self.module.losses:
            self._words = f"loss {_finite(self._recent(), step, self.checks.config):.4f}"
        return self._words + (f", agreement {self.checks.best:.3f}" if self.checks.best >= 0 else "")

    def _recent(self) -> float:
        """Return the mean loss since the last peek, within an interval."""
        losses, total = self.module.losses, float(self.module.loss_sum)
        before = self._seen if self._seen[0] < losses else (0, 0.0)
        self._seen = losses, total
        return (total - before[1]) / (losses - before[0])


def _finite(loss: float, step: int, config: TuneConfig) -> float:
    kept = "The weights of the last check are kept"
    return require_finite(loss, step, config, kept=kept, error=GeneratorError)
