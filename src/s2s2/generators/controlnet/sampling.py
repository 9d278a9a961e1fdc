"""Sampling of a ControlNet: solvers, guidance, and the copies of training cases made in batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from s2s2.core.streams import stream
from s2s2.core.types import Image
from s2s2.data.case import Case
from s2s2.generators.controlnet.base import Base, libraries, quiet
from s2s2.generators.controlnet.conditioning import Grid, check_hint, draw_hint, from_model, palette, prompt
from s2s2.generators.controlnet.config import ControlNetSamplingConfig


@dataclass(frozen=True)
class Plan:
    """How samples are made.

    Args:
        solver: "dpm++", "unipc" or "ddim".
        steps: Steps from noise to image.
        guidance: Weight of the prompt's prediction against the empty prompt's; 1 leaves the latter out.
        guided: From and to which share of the steps there is guidance.
    """

    solver: str
    steps: int
    guidance: float
    guided: tuple[float, float] = (0.0, 1.0)

    def is_guided(self, step: int) -> bool:
        """Whether a step, 0 to steps - 1, is guided."""
        return self.guidance > 1 and self.guided[0] <= step / self.steps < self.guided[1]

    @property
    def evaluations(self) -> int:
        """How often the networks see an image on its way.

        Example:
            >>> PLANS["paper"].evaluations, PLANS["fast"].evaluations
            (100, 25)
        """
        return sum(1 + self.is_guided(step) for step in range(self.steps))


PLANS = {
    "paper": Plan("ddim", 50, 9.0),
    "fast": Plan("dpm++", 15, 3.0, (0.2, 0.85)),
}
"""`paper` is the published setting. `fast` takes a solver of second order, and guides in the middle
alone: at the beginning guidance narrows what comes out, at the end it changes nothing."""


def plan(config: ControlNetSamplingConfig) -> Plan:
    """Return the preset's plan with what the options say otherwise.

    Example:
        >>> plan(ControlNetSamplingConfig(preset="paper", steps=20))
        Plan(solver='ddim', steps=20, guidance=9.0, guided=(0.0, 1.0))
    """
    given = {"solver": config.solver, "steps": config.steps, "guidance": config.guidance}
    chosen = {name: value for name, value in given.items() if value is not None}
    return replace(PLANS[config.preset], **chosen)  # type: ignore[arg-type]


def make_solver(base: Base, how: Plan) -> Any:
    """Return the solver, its steps set, on the base model's own noise schedule.

    DDIM takes the steps as the base model spaces them, as published; the others end their
    steps where the noise does, which counts when there are few.
    """
    diffusers, _ = libraries()
    own: dict[str, Any] = {"timestep_spacing": "trailing"}
    kind, options = {
        "ddim": (diffusers.DDIMScheduler, {"clip_sample": False}),
        "unipc": (diffusers.UniPCMultistepScheduler, own),
        "dpm++": (diffusers.DPMSolverMultistepScheduler, {**own, "algorithm_type": "dpmsolver++"}),
    }[how.solver]
    with quiet():
        solver = kind.from_config(base.schedule, **options)
        solver.set_timesteps(how.steps, device=base.device)
    return solver


@torch.no_grad()
def sample_latents(
    base: Base, controlnet: Any, how: Plan, *, hint: Tensor, text: Tensor, empty: Tensor, noise: Tensor
) -> Tensor:
    r"""Return the latents that the noise leads to.

    With guidance $g$ a step follows $\epsilon_\emptyset + g (\epsilon_c - \epsilon_\emptyset)$, where
    $\epsilon_c$ is predicted with the prompt and $\epsilon_\emptyset$ with the empty one; both see the hint.

    Args:
        base: The base model.
        controlnet: Brings the hint into its UNet.
        how: Solver, steps and guidance.
        hint: From `draw_hint`.
        text: From `Base.texts`, one an image.
        empty: The same of the empty prompt, for one image.
        noise: Where it all begins; it decides everything, as the solvers draw nothing.

    Shape:
        - hint: (batch, 3, height, width).
        - text: (batch, token, width).
        - empty: (1, token, width).
        - noise, returns: (batch, latent channel, height / factor, width / factor).

    Reference:
        Ho and Salimans, *Classifier-free diffusion guidance*, arXiv:2207.12598.
        Lu et al., *DPM-Solver++*, arXiv:2211.01095.
        Kynkaanniemi et al., *Applying guidance in a limited interval*, arXiv:2404.07724.
    """
    solver = make_solver(base, how)
    hint, text, empty, noise = (each.to(base.device) for each in (hint, text, empty, noise))
    both = torch.cat([empty.expand_as(text), text])
    latents: Tensor = noise * float(solver.init_noise_sigma)
    with computing(base, controlnet):
        for step, time in enumerate(solver.timesteps):
            guided = how.is_guided(step)
            copies = 2 if guided else 1
            seen = solver.scale_model_input(torch.cat([latents] * copies), time)
            prompts, shown = (both if guided else text), torch.cat([hint] * copies)
            predicted = predict(base, controlnet, seen, time, prompts, shown).float()
            if guided:
                without, wanted = predicted.chunk(2)
                predicted = without + how.guidance * (wanted - without)
            # The state keeps 32 bits, whatever the networks compute with.
            latents = solver.step(predicted, time, latents, return_dict=False)[0]
    return latents


def predict(base: Base, controlnet: Any, latents: Tensor, time: Tensor, text: Tensor, hint: Tensor) -> Tensor:
    """Return what the UNet predicts of noisy latents with the hint that the ControlNet brings in."""
    latents, text, hint = (each.to(base.dtype) for each in (latents, text, hint))
    down, middle = controlnet(
        latents, time, encoder_hidden_states=text, controlnet_cond=hint, return_dict=False
    )
    predicted: Tensor = base.unet(
        latents,
        time,
        encoder_hidden_states=text,
        down_block_additional_residuals=down,
        mid_block_additional_residual=middle,
        return_dict=False,
    )[0]
    return predicted


@contextmanager
def computing(base: Base, controlnet: Any) -> Iterator[None]:
    """Let a ControlNet that is being tuned, in 32 bits, work with a base model of 16."""
    mixed = next(controlnet.parameters()).dtype != base.dtype
    with torch.autocast(base.device.type, dtype=base.dtype, enabled=mixed):
        yield


@dataclass
class Sampler:
    """Makes copies of cases.

    Args:
        base: The base model.
        controlnet: Brings the hint into its UNet.
        grid: The cases on the model's grid.
        how: Solver, steps and guidance.
        modality: What the images are, for the prompts.
        batch: Images that are made together.
    """

    base: Base
    controlnet: Any
    grid: Grid
    how: Plan
    modality: str
    batch: int

    def images(self, wanted: Sequence[tuple[Case, int]], seed: int) -> list[Image]:
        """Return for each case its copy of the number beside it, on the working grid, in [0, 1].

        A copy's noise is named by seed, case and number. The networks always see a full batch,
        as they compute otherwise for another size; what remains of a copy's neighbours is
        rounding, far below a grey level in 32 bits.
        """
        copies: list[Image] = []
        for start in range(0, len(wanted), self.batch):
            part = list(wanted[start : start + self.batch])
            filled = [*part, *part[-1:] * (self.batch - len(part))]
            squares = self._squares(filled, seed, kept=len(part))
            copies += [
                self.grid.restore(square, case) for square, (case, _) in zip(squares, part, strict=True)
            ]
        return copies

    def _squares(self, wanted: Sequence[tuple[Case, int]], seed: int, *, kept: int) -> list[Image]:
        """Return the first images of a batch, on the model's square."""
        train, base = self.grid.train, self.base
        masks = np.stack([self.grid.mask(case) for case, _ in wanted])
        hint = draw_hint(torch.from_numpy(masks), palette(train.class_map))
        noise = torch.stack([self._noise(case, number, seed) for case, number in wanted])
        check_hint(hint, noise.shape, base.factor)
        latents = sample_latents(
            base,
            self.controlnet,
            self.how,
            hint=hint,
            text=base.texts([prompt(mask, train.class_map, self.modality) for mask in masks]),
            empty=base.texts([""]),
            noise=noise,
        )
        return list(from_model(base.decode(latents[:kept]), train.channels).cpu().numpy())

    def _noise(self, case: Case, number: int, seed: int) -> Tensor:
        side = self.grid.side // self.base.factor
        shape = (self.base.unet.config.in_channels, side, side)
        drawn = stream(seed, "controlnet", case.id, number).standard_normal(shape, dtype=np.float32)
        return torch.from_numpy(drawn)
