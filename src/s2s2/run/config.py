"""The settings of a whole run; saved beside its results and read back as they are."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from s2s2.arms import get_arm
from s2s2.audit.config import AuditConfig
from s2s2.errors import ConfigError
from s2s2.networks.config import NetworkConfig
from s2s2.training.config import TrainConfig


@dataclass(frozen=True)
class SplitConfig:
    """How the home cases are divided, by group.

    Args:
        fractions: Shares of train, validation and test; they add up to 1.
        counts: Numbers of cases instead of shares.
        seed: Of the division; one division serves all arms and seeds of a run.
        file: A split.json made before, instead of a new division.
    """

    fractions: tuple[float, float, float] = (0.7, 0.1, 0.2)
    counts: tuple[int, int, int] | None = None
    seed: int = 0
    file: Path | None = None


@dataclass(frozen=True)
class StackConfig:
    """How the stack is made.

    Args:
        generator: Names joined by `+`, laid over each other from left to right; several with
            shares, `appearance:8,diffusion:8`; or an import path of your own class.
        tuned: Folder of a tuning that `s2s2 tune` made; None tunes in the run's folder.
        depth: Synthetic images for each training mask.
        seed: Of the stack; all training seeds share it.
        bits: Stored depth of a channel.
    """

    generator: str = "composite+appearance+boxes"
    tuned: Path | None = None
    depth: int = 8
    seed: int = 0
    bits: Literal[8, 16] = 8

    def __post_init__(self) -> None:
        """Refuse an empty stack."""
        if self.depth < 1:
            raise ConfigError(f"--stack.depth must be at least 1, got {self.depth}.")


@dataclass(frozen=True)
class RunConfig:
    """Settings of `s2s2 run`.

    Args:
        data: Home: the labelled images that the networks learn from.
        output: Folder of the run.
        target: Away: labelled images of other sites, to be tested on only.
        size: Longer side of the working grid in pixels; the aspect ratio is kept.
        classes: Class map: `name=value` pairs or a classes.json; None infers it from the masks.
        groups: CSV file (case,group), or a regular expression on the case id.
        channels: 1 or 3 to read all images as grey or as RGB.
        arms: What is compared; `s2s2@appearance` is s2s2 with a stack of its own.
        seeds: Repetitions of every arm, 0, 1, ...
        split: Division of the home cases.
        stack: The semantic stack.
        audited: Whether the stack is judged before the networks learn from it.
        audit: How it is judged.
        network: The network that all arms train.
        train: How they train it.
        tolerance: Of the normalised surface Dice, in mm where the spacing is known, else in pixels.
        jobs: Trainings side by side; None takes one for each core, or one for a GPU.
        attributions: Licences and citations that the report's foot shows.
    """

    data: Path
    output: Path
    target: tuple[Path, ...] = ()
    size: int = 256
    classes: tuple[str, ...] | None = None
    groups: str | None = None
    channels: int | None = None
    arms: tuple[str, ...] = ("baseline", "duplicate", "s2s2")
    seeds: int = 3
    split: SplitConfig = field(default_factory=SplitConfig)
    stack: StackConfig = field(default_factory=StackConfig)
    audited: bool = True
    audit: AuditConfig = field(default_factory=AuditConfig)
    network: NetworkConfig = field(default_factory=NetworkConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    tolerance: float = 2.0
    jobs: int | None = None
    attributions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what cannot work before anything is made."""
        for arm in self.arms:
            get_arm(arm)
        if not self.arms or len(set(self.arms)) != len(self.arms):
            raise ConfigError(f"--arms takes one or more different arms, got {list(self.arms)}.")
        if self.seeds < 1:
            raise ConfigError(f"--seeds is a number of repetitions, at least 1, got {self.seeds}.")
        if self.size < 32:
            raise ConfigError(f"--size must be at least 32 pixels, got {self.size}.")
        if self.jobs is not None and self.jobs < 1:
            raise ConfigError(f"--jobs must be at least 1, got {self.jobs}.")
