"""Training module of `diffusion`: the loss of the flow, and its samples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from s2s2.core.streams import stream
from s2s2.core.types import Image
from s2s2.data.case import Case
from s2s2.generators.diffusion.autoencoder import decode, encode
from s2s2.generators.diffusion.config import PATCH, DiffusionConfig
from s2s2.generators.diffusion.flow import draw_times, mix, solve
from s2s2.generators.diffusion.items import SETTINGS, Grid
from s2s2.generators.diffusion.network import MaskUNet
from s2s2.generators.tuning.module import TunedModule


class FlowModule(TunedModule):
    """A mask-conditioned flow.

    Args:
        grid: The network's grid.
        config: With the preset's values.
        autoencoder: Trained; where there is one, the flow is that of its latents.
    """

    learnt: MaskUNet

    def __init__(self, grid: Grid, config: DiffusionConfig, autoencoder: nn.Module | None = None) -> None:
        latent = autoencoder is not None
        channels = config.latent_channels if latent else grid.channels
        super().__init__(
            build_network(grid, config, channels=channels, patch=1 if latent else PATCH), config.tuning()
        )
        self.grid, self.options = grid, config
        self.autoencoder = None if autoencoder is None else autoencoder.eval().requires_grad_(False)
        self.fold = config.fold if latent else 1
        self.shape = (channels, grid.side // self.fold, grid.side // self.fold)

    def measure(self) -> None:
        """Take mean and standard deviation from the training images, or from their latents."""
        with torch.inference_mode():
            self.learnt.measure(self._inside(case) for case in self.grid.low)

    def _inside(self, case: Case) -> Tensor:
        """Return the image or latent of a case without its padding."""
        height, width = (-(-side // self.fold) for side in self.grid.low.mask(case).shape)
        return self._encoded(self.grid.image(case)[None])[0, :, :height, :width]

    def _encoded(self, image: Tensor) -> Tensor:
        if self.autoencoder is None:
            return image
        with torch.no_grad():
            return encode(self.autoencoder, image)

    def _condition(self, condition: Tensor) -> Tensor:
        """Return the condition on the grid that the flow works on, as shares where that is coarser."""
        return condition if self.fold == 1 else functional.avg_pool2d(condition, self.fold)

    def loss(self, batch: tuple[Tensor, Tensor, Tensor], noise: torch.Generator) -> Tensor:
        """Return the mean squared error of the direction."""
        image, condition, settings = batch
        condition = self._condition(condition)
        image = self.learnt.normalised(self._encoded(image), condition[:, -1:])
        times = draw_times(len(image), noise).to(image.device)
        added = torch.randn(image.shape, generator=noise).to(image.device)
        seen = (torch.rand(len(image), generator=noise) >= self.options.mask_dropout).to(image.device)
        shown = hide(condition, seen)
        predicted = self.learnt(mix(image, added, times), shown, settings, times)
        return functional.mse_loss(predicted, added - image)

    def sample(self, cases: Sequence[Case], numbers: Sequence[int], seed: int) -> list[Image]:
        """Return one image for each case, its copy of the number beside it."""
        drawn = [
            stream(seed, "diffusion", case.id, number).standard_normal(self.shape, np.float32)
            for case, number in zip(cases, numbers, strict=True)
        ]
        device = next(self.learnt.parameters()).device
        noise = torch.from_numpy(np.stack(drawn)).to(device)
        condition = self._condition(torch.stack([self.grid.condition(case) for case in cases]).to(device))
        fast = torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda")
        with torch.inference_mode(), fast:
            made = self.learnt.restored(self._solved(noise, condition))
            if self.autoencoder is not None:
                made = decode(self.autoencoder, made)
        return [self.grid.restored(sample, case) for sample, case in zip(made, cases, strict=True)]

    def _solved(self, noise: Tensor, condition: Tensor) -> Tensor:
        """Follow the flow, guided by the mask."""
        guidance, settings = self.options.sampling.guidance, noise.new_zeros(len(noise), SETTINGS)
        blind = hide(condition, torch.zeros(len(noise), dtype=torch.bool, device=noise.device))

        def velocity(x: Tensor, time: float) -> Tensor:
            times = x.new_full((len(x),), time)
            if guidance == 1:
                seeing: Tensor = self.learnt(x, condition, settings, times)
                return seeing
            both = self.learnt(
                torch.cat([x, x]), torch.cat([condition, blind]), settings.repeat(2, 1), times.repeat(2)
            )
            seeing, blindly = both.chunk(2)
            guided: Tensor = blindly + guidance * (seeing - blindly)
            return guided

        sampling = self.options.sampling
        return solve(velocity, noise, steps=sampling.solver_steps, solver=sampling.solver)


def hide(condition: Tensor, seen: Tensor) -> Tensor:
    """Return the condition with no class anywhere where the mask is not seen.

    Shape:
        - condition: (batch, class + 1, side, side); the last channel stays.
        - seen: (batch,).
    """
    kept = seen[:, None, None, None].to(condition.dtype)
    return torch.cat([condition[:, :-1] * kept, condition[:, -1:]], 1)


def build_network(grid: Grid, config: DiffusionConfig, *, channels: int, patch: int) -> MaskUNet:
    """Build the network with weights that depend on the seed alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(stream(config.tune.seed, "diffusion", "weights").integers(2**63)))
        network = MaskUNet(
            channels,
            grid.condition_channels,
            SETTINGS,
            widths=config.channels or (64,),
            blocks=config.blocks or 1,
            patch=patch,
        )
    if config.tune.checkpointing:
        network.save_memory()
    return network
