"""Options of the generator `diffusion`, and the values of its presets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from s2s2.errors import ConfigError
from s2s2.generators.options import check, from_json, to_json
from s2s2.generators.tuning.config import LearningConfig, TuneConfig

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
class DiffusionTuneConfig(LearningConfig):
    """Options of the tuning of the flow.

    Args:
        steps: Of the tuning.
    """

    steps: int | None = None


@dataclass(frozen=True)
class DiffusionSamplingConfig:
    """Options of how images are made: with others, the weights are the same.

    Args:
        solver: Of the flow: `euler`, `adams` (second order, one evaluation a step), or `heun`
            (second order, two evaluations). The higher orders follow the flow more closely and
            give more grain; judges read the masks better from Euler's images.
        solver_steps: Steps from noise to image; 8 take half the time and give smoother images.
        guidance: How far samples go beyond the network's own idea of the mask; 1 is not
            at all and twice as fast.
        made_at_once: Images that are made at once.

    Raises:
        ConfigError: If a value cannot be used.
    """

    solver: Solver = "euler"
    solver_steps: int = 16
    guidance: float = 1.5
    made_at_once: int | None = None

    def __post_init__(self) -> None:
        check("diffusion", self, _BOUNDS)


@dataclass(frozen=True)
class DiffusionConfig:
    """Options of `Diffusion`. None lets the preset choose.

    Args:
        preset: `gpu` (51 million parameters, up to 256 px), `cpu` (3.5 million, 64 px, some
            25 minutes on two cores or less), or `auto` by what is there.
        resolution: Longer side in pixels that images are made at; they are resized
            where the working grid is larger.
        channels: Of the U-Net's levels, multiples of 16; the coarsest attends.
        blocks: Residual blocks a level.
        mask_dropout: Share of the training images whose mask is hidden, which guidance needs.
        augment: Share of the training images that are turned, flipped, zoomed and shifted;
            the network is shown how, and asked for upright ones.
        latent_above: Longer side in pixels above which the flow works on the latents of an
            autoencoder, which is trained on the same images first.
        latent_channels: Of the latents.
        autoencoder_channels: Of the autoencoder's levels, multiples of 16; every level but the
            last halves.
        autoencoder_steps: Of its training.
        tune: How the flow is tuned.
        sampling: How images are made.

    Raises:
        ConfigError: If a value cannot be used.
    """

    preset: Literal["auto", "gpu", "cpu"] = "auto"
    resolution: int | None = None
    channels: tuple[int, ...] | None = None
    blocks: int | None = None
    mask_dropout: float = 0.1
    augment: float = 0.5
    latent_above: int = 192
    latent_channels: int = 4
    autoencoder_channels: tuple[int, ...] = (64, 128, 128)
    autoencoder_steps: int | None = None
    tune: DiffusionTuneConfig = DiffusionTuneConfig()
    sampling: DiffusionSamplingConfig = DiffusionSamplingConfig()

    def __post_init__(self) -> None:
        check("diffusion", self, _BOUNDS)
        for name in ("channels", "autoencoder_channels"):
            widths = getattr(self, name)
            if widths is not None and (not widths or any(width < 16 or width % 16 for width in widths)):
                raise ConfigError(
                    f"diffusion: {name} are one multiple of 16 a level, such as (64, 128), got {widths}."
                )

    def resolved(self, preset: str | None = None) -> DiffusionConfig:
        """Return this with the preset's values where there are none.

        Args:
            preset: What `auto` means; default: what the machine has.

        Example:
            >>> DiffusionConfig(preset="cpu", blocks=2).resolved().channels
            (48, 96, 128)
        """
        import torch

        chosen = self.preset
        if chosen == "auto":
            chosen = preset or ("gpu" if torch.cuda.is_available() else "cpu")  # type: ignore[assignment]
        given = {name: value for name, value in to_json(self).items() if value is not None}
        return from_json(DiffusionConfig, "diffusion", {**PRESETS[chosen], **given, "preset": chosen})

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
        tuning, steps = self.tuning(), self.resolved().autoencoder_steps or 1
        return replace(
            tuning, steps=steps, batch=max(1, tuning.batch // 4), learning_rate=2e-4, judged=6, patience=0
        )

    def tuning(self) -> TuneConfig:
        """Return the settings of the flow's tuning."""
        return self.resolved().tune.settings(schedule="cosine", warmup=50, weight_decay=0.01, clip_norm=1.0)
