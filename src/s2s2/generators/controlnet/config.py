"""Options of the generator `controlnet`: base model, tuning, sampling."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from s2s2.errors import ConfigError
from s2s2.generators.options import check
from s2s2.generators.tuning.config import LearningConfig, TuneConfig

_BOUNDS = {
    "prompt_dropout": (0, 1),
    "resolution": (16, math.inf),
    "steps": (1, math.inf),
    "guidance": (1, math.inf),
    "sample_batch": (1, math.inf),
}


@dataclass(frozen=True)
class ControlNetTuneConfig(LearningConfig):
    """Options of the tuning of a ControlNet; learning rate, batch and epochs are the published ones.

    Args:
        epochs: Passes over the training cases.
        warmup: Share of the steps over which the learning rate rises, in [0, 1).
        weight_decay: Of AdamW.
        clip_norm: Largest norm of the gradient; 0 switches clipping off.
        eight_bit: Whether the optimiser's state is kept in 8 bit (needs bitsandbytes).

    Raises:
        ConfigError: If a value cannot be used.
    """

    batch: int = 16
    learning_rate: float = 1e-5
    checks: int = 10
    judged: int = 32
    patience: int = 4
    epochs: int = 100
    warmup: float = 0.0
    weight_decay: float = 1e-2
    clip_norm: float = 1.0
    eight_bit: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.warmup >= 1:
            raise ConfigError(f"controlnet: warmup must be 0 or more and below 1, got {self.warmup}.")


@dataclass(frozen=True)
class ControlNetSamplingConfig:
    """Options of how images are made: with others, the weights are the same.

    Args:
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

    Raises:
        ConfigError: If a value cannot be used.
    """

    preset: Literal["fast", "paper"] = "fast"
    solver: Literal["dpm++", "unipc", "ddim"] | None = None
    steps: int | None = None
    guidance: float | None = None
    sample_batch: int = 16
    compile: bool = False
    cpu: bool = False

    def __post_init__(self) -> None:
        check("controlnet", self, _BOUNDS)


@dataclass(frozen=True)
class ControlNetConfig:
    """Options of `ControlNet`.

    Args:
        base: Stable Diffusion to build on: a folder in the layout of diffusers, or the id
            `owner/name` of a model on the Hugging Face hub, which alone is fetched.
        modality: What the images are, in words that a caption would use; the prompt is this
            and the names of the classes present.
        resolution: Longer side of the images that the model sees, in pixels; 512 as published.
        prompt_dropout: Share of the images that are learnt with an empty prompt, in [0, 1]:
            what guidance compares with.
        flip: Whether mirror images are learnt too. Samples are then mirrored as well, which
            organs on one side of the body do not bear.
        cache: Whether latents are computed once and kept while tuning runs. Another change
            of the image than `flip` would need them computed again, so there is none.
        tune: How it is tuned.
        sampling: How images are made.

    Raises:
        ConfigError: If a value cannot be used.
    """

    base: str = ""
    modality: str = "A medical image"
    resolution: int = 512
    prompt_dropout: float = 0.1
    flip: bool = False
    cache: bool = True
    tune: ControlNetTuneConfig = ControlNetTuneConfig()
    sampling: ControlNetSamplingConfig = ControlNetSamplingConfig()

    def __post_init__(self) -> None:
        check("controlnet", self, _BOUNDS)

    def tuning(self, cases: int) -> TuneConfig:
        """Return the settings of the engine; epochs are turned into steps.

        Args:
            cases: How many training cases there are.
        """
        tune = self.tune
        images = tune.batch * tune.accumulate * tune.devices * tune.nodes
        steps = max(1, math.ceil(tune.epochs * cases / images))
        return tune.settings(steps=steps, schedule="constant", warmup=round(tune.warmup * steps))
