"""Learning-rate schedule: linear warm-up, then a fall to zero or a constant."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from s2s2.core.engine.config import Decay

if TYPE_CHECKING:
    from lightning.pytorch.utilities.types import OptimizerLRSchedulerConfig

_EXPONENT = 0.9


def rate_factor(step: int, *, steps: int, warmup: int, decay: Decay = "cosine") -> float:
    """Return what the peak learning rate is multiplied by in a step.

    Args:
        step: Counted from 0.
        steps: In all.
        warmup: Steps over which the rate rises to its peak.
        decay: `cosine` and `polynomial` (of exponent 0.9) fall to zero at the last step, `constant` stays at
            the peak.

    Example:
        >>> [round(rate_factor(step, steps=6, warmup=2), 3) for step in range(7)]
        [0.5, 1.0, 1.0, 0.854, 0.5, 0.146, 0.0]
    """
    if step < warmup:
        return (step + 1) / warmup
    if decay == "constant":
        return 1.0
    passed = (step - warmup) / max(1, steps - warmup)
    if decay == "polynomial":
        return float(max(0.0, 1 - passed) ** _EXPONENT)
    return 0.5 * (1 + math.cos(math.pi * passed))


def scheduled(
    optimiser: torch.optim.Optimizer, *, steps: int, warmup: int, decay: Decay = "cosine"
) -> OptimizerLRSchedulerConfig:
    """Return an optimiser with its schedule, as `configure_optimizers` must return them."""
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: rate_factor(step, steps=steps, warmup=warmup, decay=decay)
    )
    return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def on_plateau(optimiser: torch.optim.Optimizer, watched: str) -> OptimizerLRSchedulerConfig:
    """Return an optimiser whose learning rate is halved, down to 1e-6, where a score no longer rises.

    Args:
        optimiser: Whose rate it is.
        watched: Name of the score, which the module logs at each validation; more is better.
    """
    schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimiser, mode="max", factor=0.5, patience=10, min_lr=1e-6
    )
    return {
        "optimizer": optimiser,
        "lr_scheduler": {"scheduler": schedule, "interval": "epoch", "monitor": watched},
    }
