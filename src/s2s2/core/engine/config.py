"""Settings of an optimisation, which trainings and tunings share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Literal, get_args

from s2s2.errors import ConfigError

Precision = Literal["auto", "32-true", "16-mixed", "bf16-mixed"]
Decay = Literal["cosine", "polynomial", "constant"]


@dataclass(frozen=True)
class OptimisationConfig:
    """Settings of an optimisation by AdamW.

    Args:
        steps: Optimiser steps.
        learning_rate: Peak of the schedule.
        weight_decay: Of AdamW.
        clip_norm: Largest norm of the gradient; 0 turns clipping off.
        precision: Of Lightning; `auto` is 16-bit mixed on a GPU and 32-bit on a CPU, and for tunings
            bfloat16 on a GPU or CPU that computes in it.
        workers: Processes that read and augment; 0 does it in between; None or -1 chooses by the machine.
        devices: GPUs of this node.
        nodes: Nodes (SLURM and torchrun are recognised).

    Raises:
        ConfigError: If a value cannot be used.
    """

    OPTION: ClassVar[str] = ""
    """What stands before the name of a field in an error."""
    LEAST: ClassVar[Mapping[str, float]] = MappingProxyType(
        {"steps": 1, "devices": 1, "nodes": 1, "weight_decay": 0, "clip_norm": 0}
    )
    """Smallest value of a field."""
    AUTO_BFLOAT16: ClassVar[bool] = False
    """Whether the precision `auto` may be bfloat16, see `s2s2.core.engine.precision`."""

    steps: int = 2000
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    clip_norm: float = 1.0
    precision: Precision = "auto"
    workers: int | None = None
    devices: int = 1
    nodes: int = 1

    def __post_init__(self) -> None:
        """Refuse what cannot work, by the name of the option."""
        for name, least in self.LEAST.items():
            if not getattr(self, name) >= least:
                raise ConfigError(f"{self.OPTION}{name} must be at least {least}, got {getattr(self, name)}.")
        if not self.learning_rate > 0:
            raise ConfigError(f"{self.OPTION}learning_rate must be above 0, got {self.learning_rate}.")
        if self.workers is not None and self.workers < -1:
            raise ConfigError(
                f"{self.OPTION}workers must be 0 or more, or -1 to choose by the machine, got {self.workers}."
            )
        self._choose("precision", get_args(Precision))

    @property
    def interval(self) -> int:
        """Steps from one validation or check to the next, when the state is saved."""
        raise NotImplementedError

    @property
    def epochs(self) -> int:
        """Intervals in all."""
        return -(-self.steps // self.interval)

    def batches_of(self, epoch: int) -> range:
        """Return the numbers of the batches of an interval, all counted from 0."""
        raise NotImplementedError

    def _choose(self, name: str, known: tuple[str, ...]) -> None:
        if getattr(self, name) not in known:
            raise ConfigError(
                f"{self.OPTION}{name} must be one of {', '.join(known)}, got {getattr(self, name)!r}."
            )
