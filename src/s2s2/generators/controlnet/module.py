"""Training module of a ControlNet: the loss is the one that its base model was trained with."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from s2s2.core.storage import storage_errors
from s2s2.core.types import Image
from s2s2.data.case import Case
from s2s2.generators.controlnet.base import NETWORK, WEIGHTS, Base, libraries, quiet
from s2s2.generators.controlnet.conditioning import check_hint, draw_hint, palette, to_model
from s2s2.generators.controlnet.sampling import Sampler, predict
from s2s2.generators.tuning.config import TuneConfig
from s2s2.generators.tuning.module import TunedModule


class ControlNetModule(TunedModule):
    r"""Tunes a ControlNet while its base model stays as it is.

    Latents $z$ of an image are mixed with noise $\epsilon$ at a random time $t$ to
    $z_t = \sqrt{\bar\alpha_t} z + \sqrt{1 - \bar\alpha_t} \epsilon$. The UNet, given prompt and
    hint, predicts $\epsilon$, or the velocity $\sqrt{\bar\alpha_t} \epsilon - \sqrt{1 - \bar\alpha_t} z$,
    as the base model's scheduler says; the loss is the mean squared error.

    Args:
        controlnet: The network that learns.
        base: The base model.
        sampler: Makes the samples of the checks with both.
        texts: The encoded prompts, the empty one first.
        prompt_dropout: Share of the images that are learnt with the empty prompt.
        dtype: What the base model computes with.
        config: Settings of the tuning.

    Reference:
        Zhang et al., *Adding conditional control to text-to-image diffusion models*, ICCV 2023.
        Salimans and Ho, *Progressive distillation for fast sampling of diffusion models*, ICLR 2022.
    """

    def __init__(
        self,
        controlnet: Any,
        base: Base,
        sampler: Sampler,
        texts: Tensor,
        *,
        prompt_dropout: float,
        dtype: torch.dtype,
        config: TuneConfig,
    ) -> None:
        super().__init__(controlnet, config)
        # Held outside of what Lightning manages: it neither learns nor is saved.
        self._base, self._sampler, self._computed = base, sampler, dtype
        self.prompt_dropout = prompt_dropout
        self.register_buffer("texts", texts, persistent=False)
        colours = palette(sampler.grid.train.class_map)
        self.register_buffer("colours", colours, persistent=False)
        diffusers, _ = libraries()
        with quiet():
            self.schedule = diffusers.DDPMScheduler.from_config(base.schedule)

    def on_fit_start(self) -> None:
        """Bring the base model to the device."""
        self._base.to(self.device, self._computed)

    def loss(self, batch: Any, noise: torch.Generator) -> Tensor:
        """Return the mean squared error of what the UNet predicts."""
        base, masks = self._base, batch["mask"]
        moments = batch["moments"] if "moments" in batch else base.encode(to_model(batch["image"]))
        shape = (len(moments), moments.shape[1] // 2, *moments.shape[2:])
        first, second = (torch.randn(shape, generator=noise).to(self.device) for _ in range(2))
        times = torch.randint(self.schedule.config.num_train_timesteps, (len(moments),), generator=noise)
        empty = torch.rand(len(moments), generator=noise) < self.prompt_dropout
        latents = base.draw_latents(moments, first)
        times, empty = times.to(self.device), empty.to(self.device)
        hint = draw_hint(masks, self.colours)  # type: ignore[arg-type]
        if not self.losses:  # once an interval, as it must wait for the GPU
            check_hint(hint, shape, base.factor)
        text = self.texts[torch.where(empty, 0, batch["prompt"])]  # type: ignore[index]
        noisy = self.schedule.add_noise(latents, second, times)
        predicted = predict(base, self.learnt, noisy, times, text, hint)
        return functional.mse_loss(predicted.float(), self._target(latents, second, times).float())

    def _target(self, latents: Tensor, noise: Tensor, times: Tensor) -> Tensor:
        if self.schedule.config.prediction_type == "v_prediction":
            return self.schedule.get_velocity(latents, noise, times)  # type: ignore[no-any-return]
        return noise

    def sample(self, cases: Sequence[Case], numbers: Sequence[int], seed: int) -> list[Image]:
        """Return one image for each case."""
        return self._sampler.images(list(zip(cases, numbers, strict=True)), seed)

    def weights_file(self, folder: Path) -> Path:
        """Return where diffusers puts the weights."""
        return folder / NETWORK / WEIGHTS

    def write(self, folder: Path) -> None:
        """Save the ControlNet as diffusers does, so that any of its pipelines can load it."""
        target = folder / NETWORK
        part = folder / f".{NETWORK}.part"
        with storage_errors(target), quiet():
            shutil.rmtree(part, ignore_errors=True)
            self.learnt.save_pretrained(part, max_shard_size="100GB")  # type: ignore[operator]
            target.mkdir(exist_ok=True)
            for name in ("config.json", WEIGHTS):
                os.replace(part / name, target / name)
            shutil.rmtree(part)
