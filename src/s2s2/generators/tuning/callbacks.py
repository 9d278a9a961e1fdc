"""What happens after each step and at each check of a tuning."""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
import torch
from lightning.pytorch.callbacks import Callback

from s2s2.core.progress import Progress
from s2s2.core.storage import atomic
from s2s2.core.types import Image
from s2s2.data.case import Case
from s2s2.errors import GeneratorError
from s2s2.generators.protocol import Judge
from s2s2.generators.tuning.config import TuneConfig
from s2s2.generators.tuning.ema import Ema
from s2s2.generators.tuning.grid import JudgedCases, draw_samples
from s2s2.generators.tuning.module import TunedModule

COLUMNS = ("step", "loss", "agreement", "learning_rate", "images_per_second")
DRAWN_ROWS = 6
DRAWN_COPIES = 3
EQUAL = 0.01
"""Agreements this close are one: the later weights, which have learnt more, are kept."""
PEEK = 20
"""Steps between two looks at the loss, which a GPU must be waited for."""


class Averages(Callback):
    """Keeps the averaged weights."""

    def __init__(self, ema: Ema) -> None:
        self.ema = ema

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Follow the weights, once a step."""
        if (batch_idx + 1) % trainer.accumulate_grad_batches == 0:
            self.ema.update(trainer.global_step)

    def state_dict(self) -> dict[str, Any]:
        """Return the averages."""
        return {"average": self.ema.state()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from the averages."""
        self.ema.restore(state_dict["average"])


class Checks(Callback):
    """Samples the averaged weights, has them judged, draws them, and keeps the best.

    Args:
        folder: Where weights, pictures and the curve go.
        config: Settings of the tuning.
        ema: The averaged weights.
        judged: The cases that are sampled.
        judge: Of their samples, or None to keep the last weights.
    """

    def __init__(
        self, folder: Path, config: TuneConfig, ema: Ema, judged: JudgedCases, judge: Judge | None
    ) -> None:
        self.folder, self.config, self.ema, self.judged, self.judge = folder, config, ema, judged, judge
        self.rows: list[dict[str, float]] = []
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
        module = _tuned(pl_module)
        step, loss = trainer.global_step, _finite(module.interval_loss(), trainer.global_step, self.config)
        images = (step - self._images) * self.config.batch * self.config.accumulate * trainer.world_size
        speed = images / max(1e-9, time.monotonic() - self._since)
        agreement = math.nan
        if trainer.is_global_zero:
            with self.ema.applied(module.learnt), torch.inference_mode():
                agreement = self._look(module, step)
                if self._is_kept(agreement):
                    self.kept = step
                    module.write(self.folder)
        agreement = trainer.strategy.broadcast(agreement)
        self._count(agreement, step)
        rate = trainer.optimizers[0].param_groups[0]["lr"]
        self.rows.append(dict(zip(COLUMNS, (step, loss, agreement, rate, speed), strict=True)))
        if trainer.is_global_zero:
            self._write_rows()
        if self._exhausted():
            trainer.should_stop = True

    def _look(self, module: TunedModule, step: int) -> float:
        """Draw samples and return their mean agreement, NaN without a judge."""
        cases = self.judged.cases if self.judge is not None else self.judged.cases[:DRAWN_ROWS]
        first = self._sample(module, [(case, 0) for case in cases])
        shown = cases[:DRAWN_ROWS]
        wanted = [(case, number) for case in shown for number in range(1, DRAWN_COPIES)]
        more = self._sample(module, wanted)
        each = DRAWN_COPIES - 1
        rows = [(case, [first[row], *more[row * each : (row + 1) * each]]) for row, case in enumerate(shown)]
        draw_samples(self.folder / "samples" / f"step-{step:06d}.jpg", self.judged, rows)
        if self.judge is None:
            return math.nan
        images, masks = self.judged.square(first)
        return float(np.nanmean(self.judge(images, masks, [case.id for case in cases])))

    def _sample(self, module: TunedModule, wanted: Sequence[tuple[Case, int]]) -> list[Image]:
        images: list[Image] = []
        for start in range(0, len(wanted), self.config.batch):
            cases, numbers = zip(*wanted[start : start + self.config.batch], strict=True)
            images += module.sample(cases, numbers, self.config.seed)
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

    def _write_rows(self) -> None:
        with atomic(self.folder / "history.csv") as temporary, open(temporary, "w", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(self.rows)

    def state_dict(self) -> dict[str, Any]:
        """Return what was judged so far."""
        names = ("rows", "best", "best_step", "kept", "without_gain")
        return {name: getattr(self, name) for name in names}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from there."""
        for name, value in state_dict.items():
            setattr(self, name, value)


class State(Callback):
    """Keeps all that is needed to go on after a kill, replaced as a whole or not at all."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Write beside the old state, then take its place."""
        # All processes take part in saving; the first alone writes.
        with atomic(self.path) if trainer.is_global_zero else nullcontext(self.path) as target:
            trainer.save_checkpoint(target)


class Steps(Callback):
    """Tells how far the tuning is, and stops one whose loss is no number."""

    def __init__(self, config: TuneConfig, checks: Checks, progress: Progress | None) -> None:
        self.config, self.checks, self.progress = config, checks, progress
        self.words, self._seen = "", (0, 0.0)

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Report after each step."""
        if (batch_idx + 1) % trainer.accumulate_grad_batches:
            return
        module, step = _tuned(pl_module), trainer.global_step
        if step % PEEK == 0 and module.losses:
            self.words = f"loss {_finite(self._recent(module), step, self.config):.4f}"
        if self.progress is not None:
            judged = f", agreement {self.checks.best:.3f}" if self.checks.best >= 0 else ""
            self.progress(step, self.config.steps, self.words + judged)

    def _recent(self, module: TunedModule) -> float:
        """Return the mean loss since the last look, within an interval."""
        losses, total = module.losses, float(module.loss_sum)
        before = self._seen if self._seen[0] < losses else (0, 0.0)
        self._seen = losses, total
        return (total - before[1]) / (losses - before[0])


def _finite(loss: float, step: int, config: TuneConfig) -> float:
    if not math.isfinite(loss):
        raise GeneratorError(
            f"The loss of the tuning became {loss} before step {step}. The weights of the last check are "
            f"kept. Try a smaller learning_rate (now {config.learning_rate:g}) or precision 32-true, and "
            "look at the images with `s2s2 check`."
        )
    return loss


def _tuned(module: L.LightningModule) -> TunedModule:
    if not isinstance(module, TunedModule):
        raise TypeError(f"These callbacks go with TunedModule, got {type(module).__name__}.")
    return module
