"""Settings of a tuning, stored beside the weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, get_args

from s2s2.core.engine.config import Decay, OptimisationConfig
from s2s2.errors import ConfigError


@dataclass(frozen=True)
class TuneConfig(OptimisationConfig):
    """Settings of one tuning.

    Args:
        batch: Images that a process sends through the network at once.
        accumulate: Batches whose gradients make up one step.
        schedule: `cosine` falls to zero at the last step, `constant` stays.
        warmup: Steps over which the learning rate rises.
        ema: Decay of the averaged weights a step, which are what samples and is kept; 0 keeps the last.
        checks: How often samples are judged and drawn and the state is saved, spread evenly.
        judged: Masks that are sampled for the judge at each check.
        patience: Checks without a gain in agreement until the tuning stops; 0 never stops.
        checkpointing: Compute activations twice to save memory.
        eight_bit: Keep the optimiser's state in 8 bits, by bitsandbytes.
        seed: Of weights and of every draw.

    Raises:
        ConfigError: If a value cannot be used.
    """

    OPTION: ClassVar[str] = "tuning: "
    LEAST: ClassVar[Mapping[str, float]] = {
        **OptimisationConfig.LEAST,
        **dict.fromkeys(("batch", "accumulate", "checks", "judged"), 1),
        **dict.fromkeys(("warmup", "patience"), 0),
    }
    AUTO_BFLOAT16: ClassVar[bool] = True

    steps: int = 6000
    batch: int = 16
    accumulate: int = 1
    learning_rate: float = 1e-4
    schedule: Decay = "constant"
    warmup: int = 100
    ema: float = 0.999
    checks: int = 10
    judged: int = 32
    patience: int = 0
    checkpointing: bool = False
    eight_bit: bool = False
    workers: int = -1
    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.ema < 1:
            raise ConfigError(f"tuning: ema is a decay a step in [0, 1), got {self.ema}.")
        self._choose("schedule", get_args(Decay))

    @property
    def interval(self) -> int:
        """Steps from one check to the next."""
        return max(1, -(-self.steps // self.checks))

    def batches_of(self, epoch: int) -> range:
        """Return the numbers of the batches of an interval; the last one may be shorter.

        Example:
            >>> config = TuneConfig(steps=10, checks=3, accumulate=2)
            >>> [config.batches_of(epoch) for epoch in range(config.epochs)]
            [range(0, 8), range(8, 16), range(16, 20)]
        """
        last = min(self.steps, (epoch + 1) * self.interval)
        return range(epoch * self.interval * self.accumulate, last * self.accumulate)
