"""How a network is trained: every field is read, and stored beside the weights."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from s2s2.data.transforms.config import AcquisitionConfig, GeometryConfig, PhotometricConfig
from s2s2.errors import ConfigError


@dataclass(frozen=True)
class TrainConfig:
    """Settings of one training.

    Args:
        steps: Optimiser steps.
        images_per_step: Images that the network sees a step, real and synthetic
            together; even. Arms with pairs take half as many cases.
        learning_rate: Peak of the cosine schedule.
        weight_decay: Of AdamW.
        warmup: Share of the steps over which the learning rate rises, 0 to 1.
        clip_norm: Largest norm of the gradient; 0 turns clipping off.
        validations: How often the validation split is scored, spread evenly; the
            best of these networks is kept.
        patch: Side of the square crops in pixels, a multiple of 32; None trains on whole images.
        w_syn: Weight of the segmentation loss on the second view.
        alpha_enc: Weight of the encoder features' consistency.
        alpha_dec: Weight of the decoder features' consistency.
        distance: Between features; `cosine` is the published one.
        weighting: `class` gives every class of the mask the same say in the distance.
        forward_pass: `joint` sends both views through the network as one batch,
            `separate` one after the other, as published.
        marked: What becomes of copies that an audit has marked: `leave-out` draws others
            in their place, `mask` also ignores the pixels that the audit disputes, `keep`
            takes them as they are.
        as_published: Let the baseline see half as many images a step, as papers do.
        geometry: Flips, rotation, scale and shift, shared by both views and the mask.
        photometric: Brightness, contrast, gamma and colour, drawn for each view.
        acquisition: Blur, noise, resolution, compression and vignette over one view.
        precision: Of Lightning; `auto` is 16-bit mixed on a GPU and 32-bit on a CPU.
        workers: Processes that read and augment; None chooses by the machine.
        devices: GPUs of this node to train on.
        nodes: Nodes to train on (SLURM and torchrun are recognised).
    """

    steps: int = 2000
    images_per_step: int = 24
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    warmup: float = 0.05
    clip_norm: float = 1.0
    validations: int = 10
    patch: int | None = None
    w_syn: float = 1.0
    alpha_enc: float = 0.4
    alpha_dec: float = 0.0
    distance: Literal["cosine", "angular", "l1", "l2"] = "cosine"
    weighting: Literal["class"] | None = None
    forward_pass: Literal["joint", "separate"] = "joint"
    marked: Literal["keep", "leave-out", "mask"] = "leave-out"
    as_published: bool = False
    geometry: GeometryConfig = field(default_factory=GeometryConfig)
    photometric: PhotometricConfig = field(default_factory=PhotometricConfig)
    acquisition: AcquisitionConfig = field(default_factory=AcquisitionConfig)
    precision: Literal["auto", "32-true", "16-mixed", "bf16-mixed"] = "auto"
    workers: int | None = None
    devices: int = 1
    nodes: int = 1

    def __post_init__(self) -> None:
        """Refuse what cannot work, by the name of the option."""
        for name in ("steps", "validations", "devices", "nodes"):
            if getattr(self, name) < 1:
                raise ConfigError(f"--train.{name} must be at least 1, got {getattr(self, name)}.")
        if self.images_per_step < 2 or self.images_per_step % 2:
            raise ConfigError(
                f"--train.images_per_step must be even and at least 2, got {self.images_per_step}: "
                "a pair is two images."
            )
        if not 0 <= self.warmup < 1:
            raise ConfigError(f"--train.warmup is a share of the steps in [0, 1), got {self.warmup}.")
        for name in ("learning_rate", "weight_decay", "clip_norm", "w_syn", "alpha_enc", "alpha_dec"):
            if getattr(self, name) < 0:
                raise ConfigError(f"--train.{name} must not be negative, got {getattr(self, name)}.")
        if self.patch is not None and (self.patch < 32 or self.patch % 32):
            raise ConfigError(f"--train.patch must be a multiple of 32, got {self.patch}.")

    @property
    def interval(self) -> int:
        """Steps from one validation to the next."""
        return max(1, self.steps // self.validations)
