"""How a ControlNet is tuned and sampled."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from s2s2.errors import ConfigError

if TYPE_CHECKING:
    from s2s2.generators.tuning import TuneConfig

PRESETS = ("fast", "paper")
SOLVERS = ("dpm++", "unipc", "ddim")
PRECISIONS = ("auto", "32-true", "16-mixed", "bf16-mixed")


@dataclass(frozen=True)
class ControlNetConfig:
    """Settings of `ControlNet`. Resolution, learning rate, batch and epochs are the published ones.

    Args:
        base: Stable Diffusion to build on: a folder in the layout of diffusers, or the id
            `owner/name` of a model on the Hugging Face hub, which alone is fetched.
        modality: What the images are, in words that a caption would use; the prompt is this
            and the names of the classes present.
        resolution: Longer side of the images that the model sees, in pixels.
        learning_rate: Of the ControlNet, reached after the warm-up and then constant.
        batch: Images an optimiser step.
        accumulate: Passes that an optimiser step is shared by, for less memory.
        epochs: Passes over the training cases.
        warmup: Share of the steps over which the learning rate rises, in [0, 1).
        weight_decay: Of AdamW.
        clip_norm: Largest norm of the gradient; 0 switches clipping off.
        prompt_dropout: Share of the images that are learnt with an empty prompt, in [0, 1]:
            what guidance compares with.
        flip: Whether mirror images are learnt too. Samples are then mirrored as well, which
            organs on one side of the body do not bear.
        cache: Whether latents are computed once and kept while tuning runs. Another change
            of the image than `flip` would need them anew, so there is none.
        ema: Decay of the averaged weights, which are kept, in [0, 1).
        checks: How often while tuning samples are drawn and judged, and the state saved.
        judged: Masks that a check draws samples for.
        patience: Checks without a gain until tuning stops; 0 never stops early.
        checkpointing: Whether activations are computed twice, to save memory.
        eight_bit: Whether the optimiser's state is kept in 8 bit (needs bitsandbytes).
        precision: Of tuning, as Lightning names it; `auto` is 16-bit mixed on a GPU.
        devices: GPUs of a node to tune on.
        nodes: Nodes to tune on.
        workers: Processes that read images; 0 reads in the main one, -1 chooses by the machine.
        seed: Of every draw of the tuning.
        preset: How samples are made: `fast` or, as published, `paper`. The three options
            below change a part of it.
        solver: `dpm++` (of second order), `unipc` or `ddim`.
        steps: Steps of the solver.
        guidance: How far to go beyond the prompt's prediction, away from that of the empty
            prompt; 1 does not, and halves the cost.
        sample_batch: Images that are sampled together.
        compile: Whether the networks are compiled before sampling: worth it from about a
            thousand images on.
        cpu: Whether to go on without a GPU, however long it may take.
    """

    base: str = ""
    modality: str = "A medical image"
    resolution: int = 512
    learning_rate: float = 1e-5
    batch: int = 16
    accumulate: int = 1
    epochs: int = 100
    warmup: float = 0.0
    weight_decay: float = 1e-2
    clip_norm: float = 1.0
    prompt_dropout: float = 0.1
    flip: bool = False
    cache: bool = True
    ema: float = 0.999
    checks: int = 10
    judged: int = 32
    patience: int = 4
    checkpointing: bool = False
    eight_bit: bool = False
    precision: Literal["auto", "32-true", "16-mixed", "bf16-mixed"] = "auto"
    devices: int = 1
    nodes: int = 1
    workers: int = -1
    seed: int = 0
    preset: Literal["fast", "paper"] = "fast"
    solver: Literal["dpm++", "unipc", "ddim"] | None = None
    steps: int | None = None
    guidance: float | None = None
    sample_batch: int = 16
    compile: bool = False
    cpu: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot work, by the name of the option."""
        for name in ("batch", "accumulate", "epochs", "checks", "judged", "devices", "nodes", "sample_batch"):
            if getattr(self, name) < 1:
                raise ConfigError(f"controlnet: {name} must be 1 or more, got {getattr(self, name)}.")
        for name in ("learning_rate", "weight_decay", "clip_norm", "patience"):
            if getattr(self, name) < 0:
                raise ConfigError(f"controlnet: {name} must be 0 or more, got {getattr(self, name)}.")
        self._check_shares()
        choices = {"preset": PRESETS, "solver": (None, *SOLVERS), "precision": PRECISIONS}
        for name, known in choices.items():
            if getattr(self, name) not in known:
                raise ConfigError(
                    f"controlnet: {name} must be one of {', '.join(map(str, known))}, "
                    f"got {getattr(self, name)!r}."
                )

    def _check_shares(self) -> None:
        if not 0 <= self.prompt_dropout <= 1:
            raise ConfigError(
                f"controlnet: prompt_dropout is a share from 0 to 1, got {self.prompt_dropout}."
            )
        for name in ("warmup", "ema"):
            if not 0 <= getattr(self, name) < 1:
                raise ConfigError(
                    f"controlnet: {name} must be 0 or more and below 1, got {getattr(self, name)}."
                )
        if self.resolution < 16:
            raise ConfigError(
                f"controlnet: resolution must be 16 pixels or more, got {self.resolution}. "
                "Stable Diffusion was made for 512."
            )
        if (self.steps is not None and self.steps < 1) or (self.guidance is not None and self.guidance < 1):
            raise ConfigError(
                f"controlnet: steps and guidance must be 1 or more, got {self.steps} and {self.guidance}."
            )

    def tuning(self, cases: int) -> TuneConfig:
        """Return the settings of the engine; epochs are turned into steps.

        Args:
            cases: How many training cases there are.
        """
        from s2s2.generators.tuning import TuneConfig

        images = self.batch * self.accumulate * self.devices * self.nodes
        steps = max(1, math.ceil(self.epochs * cases / images))
        return TuneConfig(
            steps=steps,
            batch=self.batch,
            accumulate=self.accumulate,
            learning_rate=self.learning_rate,
            schedule="constant",
            warmup=round(self.warmup * steps),
            weight_decay=self.weight_decay,
            clip_norm=self.clip_norm,
            ema=self.ema,
            checks=self.checks,
            judged=self.judged,
            patience=self.patience,
            precision=self.precision,
            checkpointing=self.checkpointing,
            eight_bit=self.eight_bit,
            devices=self.devices,
            nodes=self.nodes,
            workers=self.workers,
            seed=self.seed,
        )
