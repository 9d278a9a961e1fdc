"""How a generator is tuned: every field is read, and stored beside the weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from s2s2.errors import ConfigError

_LEAST = {
    **dict.fromkeys(("steps", "batch", "accumulate", "checks", "judged", "devices", "nodes"), 1),
    **dict.fromkeys(("warmup", "weight_decay", "clip_norm", "patience"), 0),
    "workers": -1,
}
_CHOICES = {
    "schedule": ("cosine", "constant"),
    "precision": ("auto", "32-true", "16-mixed", "bf16-mixed"),
}


@dataclass(frozen=True)
class TuneConfig:
    """Settings of one tuning.

    Args:
        steps: Optimiser steps.
        batch: Images that a process sends through the network at once.
        accumulate: Batches whose gradients make up one step.
        learning_rate: After the warm-up.
        schedule: `cosine` falls to zero at the last step, `constant` stays.
        warmup: Steps over which the learning rate rises.
        weight_decay: Of AdamW.
        clip_norm: Largest norm of the gradient; 0 turns clipping off.
        ema: Decay of the averaged weights a step, which are what samples and is kept; 0 keeps the last.
        checks: How often samples are judged and drawn and the state is saved, spread evenly.
        judged: Masks that are sampled for the judge at each check.
        patience: Checks without a gain in agreement until the tuning stops; 0 never stops.
        precision: Of Lightning; `auto` is bfloat16 on a GPU or CPU that computes in it, 16-bit
            mixed on another GPU and 32-bit on another CPU.
        checkpointing: Compute activations twice to save memory.
        eight_bit: Keep the optimiser's state in 8 bits, by bitsandbytes.
        devices: GPUs of this node to tune on.
        nodes: Nodes to tune on (SLURM and torchrun are recognised).
        workers: Processes that read and augment; 0 does it in between, -1 chooses by the machine.
        seed: Of weights and of every draw.

    Raises:
        ConfigError: If a value cannot be used.
    """

    steps: int = 6000
    batch: int = 16
    accumulate: int = 1
    learning_rate: float = 1e-4
    schedule: Literal["cosine", "constant"] = "constant"
    warmup: int = 100
    weight_decay: float = 0.01
    clip_norm: float = 1.0
    ema: float = 0.999
    checks: int = 10
    judged: int = 32
    patience: int = 0
    precision: Literal["auto", "32-true", "16-mixed", "bf16-mixed"] = "auto"
    checkpointing: bool = False
    eight_bit: bool = False
    devices: int = 1
    nodes: int = 1
    workers: int = -1
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in _LEAST.items():
            if getattr(self, name) < least:
                raise ConfigError(f"tuning: {name} must be at least {least}, got {getattr(self, name)}.")
        if self.learning_rate <= 0:
            raise ConfigError(f"tuning: learning_rate must be above 0, got {self.learning_rate}.")
        if not 0 <= self.ema < 1:
            raise ConfigError(f"tuning: ema is a decay a step in [0, 1), got {self.ema}.")
        for name, known in _CHOICES.items():
            if getattr(self, name) not in known:
                raise ConfigError(
                    f"tuning: {name} must be one of {', '.join(known)}, got {getattr(self, name)!r}."
                )

    @property
    def interval(self) -> int:
        """Steps from one check to the next."""
        return max(1, -(-self.steps // self.checks))

    @property
    def epochs(self) -> int:
        """Intervals in all; the last one may be shorter."""
        return -(-self.steps // self.interval)

    def steps_of(self, epoch: int) -> int:
        """Return the steps of an interval, counted from 0.

        Example:
            >>> config = TuneConfig(steps=10, checks=3)
            >>> [config.steps_of(epoch) for epoch in range(config.epochs)]
            [4, 4, 2]
        """
        return min(self.interval, self.steps - epoch * self.interval)
