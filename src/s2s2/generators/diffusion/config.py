"""What `Diffusion` may do, and what its presets choose."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import torch

from s2s2.errors import ConfigError
from s2s2.generators.tuning import TuneConfig

Solver = Literal["adams", "euler", "heun"]

PRESETS: dict[str, dict[str, Any]] = {
    "cpu": {
        "resolution": 64,
        "channels": (48, 96, 128),
        "blocks": 1,
        "steps": 3000,
        # Many small steps: so early in its life a network learns more from them than from large ones.
        "batch": 8,
        "made_at_once": 16,
        "learning_rate": 1e-3,
        "autoencoder_steps": 2000,
        "checks": 5,
        "judged": 16,
    },
    "gpu": {
        "resolution": 256,
        "channels": (128, 256, 256, 384),
        "blocks": 2,
        "steps": 40000,
        "batch": 32,
        "made_at_once": 64,
        "learning_rate": 2e-4,
        "autoencoder_steps": 10000,
        "checks": 20,
        "judged": 64,
    },
}
"""Values of the options that are None, by preset."""
PATCH = 2
"""Side of the blocks of pixels that the network folds into channels."""

_BOUNDS: dict[str, tuple[float, float]] = {
    "resolution": (16, 4096),
    "blocks": (1, 16),
    "made_at_once": (1, 4096),
    "mask_dropout": (0, 1),
    "augment": (0, 1),
    "solver_steps": (1, 1000),
    "guidance": (0, 100),
    "latent_channels": (1, 64),
    "autoencoder_steps": (1, 10**9),
}


@dataclass(frozen=True)
class DiffusionConfig:
    """What `Diffusion` may do. None lets the preset choose.

    Args:
        preset: `gpu` (51 million parameters, up to 256 px), `cpu` (3.5 million, 64 px, some
            25 minutes on two cores or less), or `auto` by what is there.
        resolution: Longer side in pixels that images are made at; they are resized
            where the working grid is larger.
        channels: Of the U-Net's levels, multiples of 16; the coarsest attends.
        blocks: Residual blocks a level.
        steps: Of the tuning.
        batch: Images that are learnt from at once.
        made_at_once: Images that are made at once.
        accumulate: Batches whose gradients make up one step.
        learning_rate: Peak of the cosine schedule.
        ema: Decay of the averaged weights a step.
        mask_dropout: Share of the training images whose mask is hidden, which guidance needs.
        augment: Share of the training images that are turned, flipped, zoomed and shifted;
            the network is told how, and asked for upright ones.
        solver: Of the flow: `euler`, `adams` (second order, one evaluation a step), or `heun`
            (second order, two evaluations). The higher orders follow the flow more closely and
            give more grain; judges read the masks better from Euler's images.
        solver_steps: Steps from noise to image; 8 take half the time and give smoother images.
        guidance: How far samples go beyond the network's own idea of the mask; 1 is not
            at all and twice as fast.
        latent_above: Longer side in pixels above which the flow works on the latents of an
            autoencoder, which is trained on the same images first.
        latent_channels: Of the latents.
        autoencoder_channels: Of the autoencoder's levels, multiples of 16; every level but the
            last halves.
        autoencoder_steps: Of its training.
        checks: How often samples are judged and drawn while tuning, and the state is saved.
        judged: Masks that are judged at each check.
        patience: Checks without a gain until the tuning stops; 0 never.
        precision: `auto` is bfloat16 on a GPU or CPU that computes in it, else 32-bit.
        checkpointing: Compute activations twice to save memory.
        devices: GPUs of this node to tune on.
        nodes: Nodes to tune on.
        workers: Processes that read and augment; -1 chooses by the machine.
        seed: Of the weights and of the tuning's draws.

    Raises:
        ConfigError: If a value cannot be used.
    """

    preset: Literal["auto", "gpu", "cpu"] = "auto"
    resolution: int | None = None
    channels: tuple[int, ...] | None = None
    blocks: int | None = None
    steps: int | None = None
    batch: int | None = None
    made_at_once: int | None = None
    accumulate: int = 1
    learning_rate: float | None = None
    ema: float = 0.999
    mask_dropout: float = 0.1
    augment: float = 0.5
    solver: Solver = "euler"
    solver_steps: int = 16
    guidance: float = 1.5
    latent_above: int = 192
    latent_channels: int = 4
    autoencoder_channels: tuple[int, ...] = (64, 128, 128)
    autoencoder_steps: int | None = None
    checks: int | None = None
    judged: int | None = None
    patience: int = 0
    precision: Literal["auto", "32-true", "16-mixed", "bf16-mixed"] = "auto"
    checkpointing: bool = False
    devices: int = 1
    nodes: int = 1
    workers: int = -1
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("channels", "autoencoder_channels"):
            widths = getattr(self, name)
            if widths is not None and (not widths or any(width < 16 or width % 16 for width in widths)):
                raise ConfigError(
                    f"diffusion: {name} are one multiple of 16 a level, such as (64, 128), got {widths}."
                )
        for name, (low, high) in _BOUNDS.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise ConfigError(f"diffusion: {name} must lie in {low} to {high}, got {value}.")

    def resolved(self, preset: str | None = None) -> DiffusionConfig:
        """Return this with the preset's values where there are none.

        Args:
            preset: What `auto` means; default: what the machine has.

        Example:
            >>> DiffusionConfig(preset="cpu", steps=100).resolved().channels
            (48, 96, 128)
        """
        chosen = self.preset
        if chosen == "auto":
            chosen = preset or ("gpu" if torch.cuda.is_available() else "cpu")  # type: ignore[assignment]
        given = {name: getattr(self, name) for name in PRESETS[chosen]}
        values = {name: PRESETS[chosen][name] if value is None else value for name, value in given.items()}
        return replace(self, preset=chosen, **values)

    @property
    def multiple(self) -> int:
        """What the side of the padded square must be a multiple of, so that every level halves evenly."""
        halvings = len(self.resolved().channels or ()) - 1
        return max(PATCH, self.fold) << halvings

    @property
    def fold(self) -> int:
        """How many pixels a latent stands for, along each side."""
        return 1 << (len(self.autoencoder_channels) - 1)

    def autoencoder_tuning(self) -> TuneConfig:
        """Return the settings of the autoencoder's training: as the flow's, on a quarter of the batch."""
        steps, batch = self.resolved().autoencoder_steps or 1, self.resolved().batch or 1
        return replace(
            self.tuning(), steps=steps, batch=max(1, batch // 4), learning_rate=2e-4, judged=6, patience=0
        )

    def tuning(self) -> TuneConfig:
        """Return the settings of the flow's tuning."""
        resolved = self.resolved()
        return TuneConfig(
            steps=resolved.steps or 1,
            batch=resolved.batch or 1,
            accumulate=self.accumulate,
            learning_rate=resolved.learning_rate or 1e-4,
            schedule="cosine",
            warmup=50,
            weight_decay=0.01,
            clip_norm=1.0,
            ema=self.ema,
            checks=resolved.checks or 1,
            judged=resolved.judged or 1,
            patience=self.patience,
            precision=self.precision,
            checkpointing=self.checkpointing,
            devices=self.devices,
            nodes=self.nodes,
            workers=self.workers,
            seed=self.seed,
        )
