"""What an audit may cost and where it draws its lines."""

from __future__ import annotations

from dataclasses import dataclass, field

from s2s2.errors import ConfigError
from s2s2.networks.config import NetworkConfig


@dataclass(frozen=True)
class AuditConfig:
    """Settings of an audit.

    Args:
        folds: Parts that the training groups are cut into; as many segmenters are trained, each
            without one of them. At least 2; fewer groups make fewer folds.
        steps: Optimiser steps of each segmenter.
        images_per_step: Images that a segmenter sees a step; even, at least 2.
        size: Longer side in pixels of the grid that segmenters and encoder see; never more
            than that of the stack.
        quantile: Share of faithful images that may be marked as unfaithful, in (0, 0.5).
        ratio_quantile: Share of real images, and of copies of them, that may lie beyond the ends
            between which the line for memorised copies is drawn, in (0, 0.5).
        views: Changed views of each real image that tell how much agreement and distance change
            when an image is faithful, or a copy of another. At least 1.
        neighbours: Real images of similar masks that a stack's dispersion is compared with, at least 2.
        draws: Resamplings of an interval, at least 1.
        batch: Images that go through a network at once, at least 1.
        jobs: Segmenters trained side by side, each in a process of its own; 0 chooses by the machine.
        seed: Of folds, weights and draws.
        network: The segmenters' network.
    """

    folds: int = 3
    steps: int = 200
    images_per_step: int = 16
    size: int = 128
    quantile: float = 0.05
    ratio_quantile: float = 0.05
    views: int = 4
    neighbours: int = 8
    draws: int = 1000
    batch: int = 32
    jobs: int = 0
    seed: int = 0
    network: NetworkConfig = field(default_factory=NetworkConfig)

    def __post_init__(self) -> None:
        """Refuse what cannot work, by the name of the option."""
        least = {"folds": 2, "steps": 1, "size": 32, "views": 1, "neighbours": 2}
        least |= {"draws": 1, "batch": 1, "jobs": 0}
        for name, smallest in least.items():
            if getattr(self, name) < smallest:
                raise ConfigError(f"--audit.{name} must be at least {smallest}, got {getattr(self, name)}.")
        if self.images_per_step < 2 or self.images_per_step % 2:
            raise ConfigError(
                f"--audit.images_per_step must be even and at least 2, got {self.images_per_step}."
            )
        for name in ("quantile", "ratio_quantile"):
            if not 0 < getattr(self, name) < 0.5:
                raise ConfigError(f"--audit.{name} is a share between 0 and 0.5, got {getattr(self, name)}.")
