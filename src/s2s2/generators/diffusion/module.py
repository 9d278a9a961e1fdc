"""What `Diffusion` brings to its tuning: the loss of the flow, and its samples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from s2s2.data.case import Case
from s2s2.data.streams import stream
from s2s2.generators.diffusion.config import DiffusionConfig
from s2s2.generators.diffusion.flow import draw_times, mix, solve
from s2s2.generators.diffusion.items import SETTINGS, Grid
from s2s2.generators.diffusion.network import MaskUNet
from s2s2.generators.pyramid import Image
from s2s2.generators.tuning import TunedModule


class FlowModule(TunedModule):
    """A mask-conditioned flow.

    Args:
        grid: The network's grid.
        config: With the preset's values.
    """

    def __init__(self, grid: Grid, config: DiffusionConfig) -> None:
        super().__init__(build_network(grid, config), config.tuning())
        self.grid, self.options = grid, config

    def loss(self, batch: tuple[Tensor, Tensor, Tensor], noise: torch.Generator) -> Tensor:
        """Return the mean squared error of the direction."""
        image, condition, settings = batch
        times = draw_times(len(image), noise).to(image.device)
        added = torch.randn(image.shape, generator=noise).to(image.device)
        seen = (torch.rand(len(image), generator=noise) >= self.options.mask_dropout).to(image.device)
        shown = hide(condition, seen)
        predicted = self.learnt(mix(image, added, times), shown, settings, times)
        return functional.mse_loss(predicted.float(), added - image)

    def sample(self, cases: Sequence[Case], numbers: Sequence[int], seed: int) -> list[Image]:
        """Return one image for each case, its copy of the number beside it."""
        shape = (self.grid.channels, self.grid.side, self.grid.side)
        drawn = [
            stream(seed, "diffusion", case.id, number).standard_normal(shape, np.float32)
            for case, number in zip(cases, numbers, strict=True)
        ]
        device = next(self.learnt.parameters()).device
        noise = torch.from_numpy(np.stack(drawn)).to(device)
        condition = torch.stack([self.grid.condition(case) for case in cases]).to(device)
        with torch.inference_mode():
            made = self._solved(noise, condition)
        return [self.grid.restored(sample, case) for sample, case in zip(made, cases, strict=True)]

    def _solved(self, noise: Tensor, condition: Tensor) -> Tensor:
        """Follow the flow, guided by the mask."""
        guidance, settings = self.options.guidance, noise.new_zeros(len(noise), SETTINGS)
        blind = hide(condition, torch.zeros(len(noise), dtype=torch.bool, device=noise.device))

        def velocity(x: Tensor, time: float) -> Tensor:
            times = x.new_full((len(x),), time)
            if guidance == 1:
                seeing: Tensor = self.learnt(x, condition, settings, times).float()
                return seeing
            both = self.learnt(
                torch.cat([x, x]), torch.cat([condition, blind]), settings.repeat(2, 1), times.repeat(2)
            )
            seeing, blindly = both.float().chunk(2)
            guided: Tensor = blindly + guidance * (seeing - blindly)
            return guided

        return solve(velocity, noise, steps=self.options.solver_steps, solver=self.options.solver)


def hide(condition: Tensor, seen: Tensor) -> Tensor:
    """Return the condition with no class anywhere where the mask is not seen.

    Shape:
        - condition: (batch, class + 1, side, side); the last channel stays.
        - seen: (batch,).
    """
    kept = seen[:, None, None, None].to(condition.dtype)
    return torch.cat([condition[:, :-1] * kept, condition[:, -1:]], 1)


def build_network(grid: Grid, config: DiffusionConfig) -> MaskUNet:
    """Build the network with weights that depend on the seed alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(stream(config.seed, "diffusion", "weights").integers(2**63)))
        return MaskUNet(
            grid.channels,
            grid.condition_channels,
            SETTINGS,
            widths=config.channels or (64,),
            blocks=config.blocks,
            patch=2,
            checkpointing=config.checkpointing,
        )
