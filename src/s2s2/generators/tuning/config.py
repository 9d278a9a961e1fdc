"""Settings of the tuning of a generator: what a user may choose, and what the engine is handed."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar

from s2s2.core.engine.config import Decay, OptimisationConfig, Precision
from s2s2.errors import ConfigError
from s2s2.generators.options import check

_BOUNDS = {
    **dict.fromkeys(("steps", "epochs", "batch", "accumulate", "checks", "judged"), (1, math.inf)),
    **dict.fromkeys(("devices", "nodes"), (1, math.inf)),
    **dict.fromkeys(("warmup", "weight_decay", "clip_norm", "patience"), (0, math.inf)),
    "workers": (-1, math.inf),
}


@dataclass(frozen=True)
class LearningConfig:
    """Options of the tuning of any generator; None lets the generator choose.

    Args:
        batch: Images that a process sends through the network at once.
        accumulate: Batches whose gradients make up one step.
        learning_rate: Peak of the schedule.
        ema: Decay of the averaged weights a step, which are what samples and is kept; 0 keeps the last.
        checks: How often samples are judged and drawn and the state is saved, spread evenly.
        judged: Masks that are sampled for the judge at each check.
        patience: Checks without a gain in agreement until the tuning stops; 0 never stops.
        precision: Of Lightning; `auto` is bfloat16 on a GPU or CPU that computes in it, 16-bit
            mixed on another GPU and 32-bit on another CPU.
        checkpointing: Compute activations twice to save memory.
        devices: GPUs of this node to tune on.
        nodes: Nodes to tune on (SLURM and torchrun are recognised).
        workers: Processes that read and augment; 0 does it in between, -1 chooses by the machine.
        seed: Of weights and of every draw.

    Raises:
        ConfigError: If a value cannot be used.
    """

    batch: int | None = None
    accumulate: int = 1
    learning_rate: float | None = None
    ema: float = 0.999
    checks: int | None = None
    judged: int | None = None
    patience: int = 0
    precision: Precision = "auto"
    checkpointing: bool = False
    devices: int = 1
    nodes: int = 1
    workers: int = -1
    seed: int = 0

    def __post_init__(self) -> None:
        check("tuning", self, _BOUNDS)
        if self.learning_rate is not None and self.learning_rate <= 0:
            raise ConfigError(f"tuning: learning_rate must be above 0, got {self.learning_rate}.")
        if not 0 <= self.ema < 1:
            raise ConfigError(f"tuning: ema is a decay a step in [0, 1), got {self.ema}.")

    def settings(self, **own: Any) -> TuneConfig:
        """Return the settings of a tuning with these options.

        Args:
            own: What else the generator decides, by the name of the setting.
        """
        given = {name: value for name, value in asdict(self).items() if value is not None} | own
        known = {field.name for field in fields(TuneConfig)}
        return TuneConfig(**{name: value for name, value in given.items() if name in known})


@dataclass(frozen=True)
class TuneConfig(OptimisationConfig, LearningConfig):
    """Settings of one tuning: every field is read, and stored beside the weights.

    Args:
        schedule: `cosine` falls to zero at the last step, `constant` stays.
        warmup: Steps over which the learning rate rises.
        eight_bit: Keep the optimiser's state in 8 bits, by bitsandbytes.

    Raises:
        ConfigError: If a value cannot be used.
    """

    OPTION: ClassVar[str] = "tuning: "
    AUTO_BFLOAT16: ClassVar[bool] = True

    steps: int = 6000
    batch: int = 16
    learning_rate: float = 1e-4
    schedule: Decay = "constant"
    warmup: int = 100
    checks: int = 10
    judged: int = 32
    eight_bit: bool = False
    workers: int = -1

    def __post_init__(self) -> None:
        super().__post_init__()
        LearningConfig.__post_init__(self)

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
