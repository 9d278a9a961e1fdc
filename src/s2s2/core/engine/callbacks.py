"""Callbacks of every optimisation: history and progress."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import Callback

from s2s2.core.engine.config import OptimisationConfig
from s2s2.core.progress import Progress
from s2s2.core.tables import write_rows
from s2s2.errors import S2S2Error


class History(Callback):
    """Curves of an optimisation: one row for each interval, in a CSV file.

    Subclasses call `add` at the end of an interval.

    Args:
        path: The file.
        columns: Its header; what else a row has is left out of the file.
    """

    def __init__(self, path: Path, columns: tuple[str, ...]) -> None:
        self.path, self.columns = path, columns
        self.rows: list[dict[str, float]] = []

    def add(self, trainer: L.Trainer, row: Mapping[str, float]) -> None:
        """Log a row and rewrite the file, which is small; one process writes."""
        self.rows.append(dict(row))
        if trainer.logger is not None:
            trainer.logger.log_metrics(finite_metrics(row), step=trainer.global_step)
        if trainer.is_global_zero:
            write_rows(self.rows, self.path, self.columns)

    def state_dict(self) -> dict[str, Any]:
        """Return the rows so far."""
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on after the rows so far."""
        self.rows = list(state_dict["rows"])


def finite_metrics(row: Mapping[str, float]) -> dict[str, float]:
    """Return what a logger is given of a row of a history: its finite values but the step."""
    return {key: value for key, value in row.items() if key != "step" and math.isfinite(value)}


class StepProgress(Callback):
    """Reports how far the optimisation is, after every step.

    Args:
        progress: What to report to.
        steps: Steps in all.
        words: Returns what else to say; called after every step, given its number.
    """

    def __init__(self, progress: Progress | None, steps: int, words: Callable[[int], str]) -> None:
        self.progress, self.steps, self.words = progress, steps, words

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Report, unless gradients are still being accumulated."""
        if (batch_idx + 1) % trainer.accumulate_grad_batches:
            return
        words = self.words(trainer.global_step)
        if self.progress is not None:
            self.progress(trainer.global_step, self.steps, words)


def require_finite(
    loss: float, step: int, config: OptimisationConfig, *, kept: str, error: type[S2S2Error]
) -> float:
    """Return a loss, and refuse one that is not finite.

    Args:
        loss: Mean of some steps.
        step: The last of them.
        config: Its learning rate is named.
        kept: What is not lost, as in "The best network so far is kept".
        error: Class of the error.

    Raises:
        S2S2Error: Of class `error`.
    """
    if not math.isfinite(loss):
        raise error(
            f"The loss became {loss} before step {step}. {kept}. Try a smaller {config.OPTION}learning_rate "
            f"(now {config.learning_rate:g}) or {config.OPTION}precision 32-true, and look at the images "
            "with `s2s2 check`."
        )
    return loss
