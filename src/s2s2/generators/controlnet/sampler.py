"""Copies of training cases, made together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from s2s2.core.streams import stream
from s2s2.core.types import Image
from s2s2.data.case import Case
from s2s2.generators.controlnet.base import Base
from s2s2.generators.controlnet.grid import Grid
from s2s2.generators.controlnet.hint import check_hint, draw_hint, palette
from s2s2.generators.controlnet.prompts import prompt
from s2s2.generators.controlnet.ranges import from_model
from s2s2.generators.controlnet.sampling import Plan, sample_latents


@dataclass
class Sampler:
    """Makes copies of cases.

    Args:
        base: The base model.
        controlnet: Tells its UNet of the hint.
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
