"""Autoencoder of large images: the flow then works on a quarter of the width and height."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from monai.networks.nets.autoencoderkl import AutoencoderKL
from torch import Tensor, nn
from torch.nn import functional

from s2s2.core.streams import stream
from s2s2.core.types import Image
from s2s2.data.case import Case
from s2s2.generators.diffusion.config import DiffusionConfig
from s2s2.generators.diffusion.items import Grid
from s2s2.generators.tuning.module import TunedModule

KL_WEIGHT = 1e-6
"""Keeps latents near a normal distribution without costing detail."""
SCALES = 3


class AutoencoderModule(TunedModule):
    r"""Learns to encode images as latents and to decode them.

    The loss is the absolute error of the image, of its differences between neighbouring
    pixels at three scales, so that edges stay sharp without a network of perception from
    elsewhere, and $10^{-6}$ times the Kullback-Leibler divergence of the latents.

    Args:
        grid: The network's grid.
        config: With the preset's values.
    """

    learnt: AutoencoderKL

    def __init__(self, grid: Grid, config: DiffusionConfig) -> None:
        super().__init__(build_autoencoder(grid, config), config.autoencoder_tuning())
        self.grid = grid

    def loss(self, batch: tuple[Tensor, Tensor, Tensor], noise: torch.Generator) -> Tensor:
        """Return the loss of the reconstruction."""
        image, condition, _ = batch
        inside = condition[:, -1:]
        mean, deviation = self.learnt.encode(2 * image - 1)
        added = torch.randn(mean.shape, generator=noise).to(mean.device)
        made = self.learnt.decode(mean + deviation * added)
        divergence = (mean**2 + deviation**2 - 2 * deviation.log() - 1).flatten(1).sum(1).mean() / 2
        return detail_error(made * inside, (2 * image - 1) * inside) + KL_WEIGHT * divergence

    def sample(self, cases: Sequence[Case], numbers: Sequence[int], seed: int) -> list[Image]:
        """Return the reconstruction of each case's real image."""
        device = next(self.learnt.parameters()).device
        image = torch.stack([self.grid.image(case) for case in cases]).to(device)
        with torch.inference_mode():
            made = decode(self.learnt, encode(self.learnt, image))
        return [self.grid.restored(each, case) for each, case in zip(made, cases, strict=True)]


def build_autoencoder(grid: Grid, config: DiffusionConfig) -> AutoencoderKL:
    """Build the autoencoder with weights that depend on the seed alone."""
    widths = config.autoencoder_channels
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(stream(config.tune.seed, "diffusion", "autoencoder").integers(2**63)))
        return AutoencoderKL(
            spatial_dims=2,
            in_channels=grid.channels,
            out_channels=grid.channels,
            channels=widths,
            num_res_blocks=1,
            attention_levels=[False] * len(widths),
            latent_channels=config.latent_channels,
            norm_num_groups=16,
            with_encoder_nonlocal_attn=False,
            with_decoder_nonlocal_attn=False,
            use_checkpoint=config.tune.checkpointing,
        )


def encode(autoencoder: nn.Module, image: Tensor) -> Tensor:
    """Return the mean latents of images in [0, 1]."""
    mean: Tensor = autoencoder.encode(2 * image - 1)[0]  # type: ignore[operator]
    return mean.float()


def decode(autoencoder: nn.Module, latent: Tensor) -> Tensor:
    """Return the images of latents, about in [0, 1]."""
    image: Tensor = autoencoder.decode(latent)  # type: ignore[operator]
    return (image.float() + 1) / 2


def detail_error(made: Tensor, real: Tensor) -> Tensor:
    """Return the mean absolute error of images and of their differences at several scales.

    Example:
        >>> detail_error(torch.ones(1, 1, 8, 8), torch.zeros(1, 1, 8, 8)).item()
        1.0
    """
    error = made - real
    total = error.abs().mean()
    for _ in range(SCALES):
        total = total + (error.diff(dim=-1).abs().mean() + error.diff(dim=-2).abs().mean()) / 2
        error = functional.avg_pool2d(error, 2)
    return total
