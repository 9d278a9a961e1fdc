"""Network of `diffusion`: MONAI's diffusion U-Net, with the mask beside the noisy image."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import torch
from monai.networks.nets.diffusion_model_unet import DiffusionModelUNet
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

TIME_SCALE = 1000.0
"""MONAI embeds times as diffusion counts them, from 0 to 1000."""


class MaskUNet(nn.Module):
    r"""Predicts the flow's direction from noisy images and what must be shown.

    Images are normalised to mean 0 and standard deviation 1, which are kept with the
    weights. Were pixels independent and normal, the best direction at time $t$ would be
    $\frac{2 t - 1}{(1 - t)^2 + t^2} x_t$; the network $F$ learns what is left, in units of
    what is left to know:

    $$v(x_t, t) = \frac{2 t - 1}{n^2} x_t + \frac{1}{n} F(x_t / n, t), \quad n^2 = (1 - t)^2 + t^2.$$

    Blocks of `patch` x `patch` pixels are folded into channels first: on a CPU the
    finest level costs most and teaches least.

    Args:
        channels: Of the images or latents.
        condition: Channels of the condition: one-hot mask and what lies inside the image.
        settings: Numbers that say how an image was turned and zoomed.
        widths: Channels of each level; the coarsest attends.
        blocks: Residual blocks a level.
        patch: Side of the folded blocks.

    Shape:
        - image: (batch, channel, side, side).
        - condition: (batch, condition, side, side).
        - settings: (batch, setting).
        - times: (batch,).
        - returns: as image.

    Reference:
        Karras et al., *Elucidating the design space of diffusion-based generative
        models*, NeurIPS 2022 (preconditioning).
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        channels: int,
        condition: int,
        settings: int,
        *,
        widths: tuple[int, ...],
        blocks: int,
        patch: int,
    ) -> None:
        super().__init__()
        self.patch = patch
        self.register_buffer("mean", torch.zeros(channels, 1, 1))
        self.register_buffer("std", torch.ones(channels, 1, 1))
        levels = len(widths)
        self.unet = DiffusionModelUNet(
            spatial_dims=2,
            in_channels=(channels + condition) * patch**2 + settings,
            out_channels=channels * patch**2,
            num_res_blocks=blocks,
            channels=widths,
            attention_levels=[level == levels - 1 for level in range(levels)],
            norm_num_groups=16,
            num_head_channels=32 if widths[-1] % 32 == 0 else 16,
            use_flash_attention=True,
        )

    def save_memory(self) -> None:
        """Compute the activations of every block twice instead of keeping them."""
        for block in [*self.unet.down_blocks, self.unet.middle_block, *self.unet.up_blocks]:
            block.forward = partial(checkpoint, block.forward, use_reentrant=False)

    def forward(self, image: Tensor, condition: Tensor, settings: Tensor, times: Tensor) -> Tensor:
        """Return the direction at these normalised images."""
        at = times[:, None, None, None]
        norm = ((1 - at) ** 2 + at**2).sqrt()
        folded = functional.pixel_unshuffle(torch.cat([image / norm, condition], 1), self.patch)
        planes = settings[:, :, None, None].expand(-1, -1, *folded.shape[2:])
        left = self.unet(torch.cat([folded, planes], 1), TIME_SCALE * times)
        return (2 * at - 1) / norm**2 * image + functional.pixel_shuffle(left, self.patch).float() / norm

    def measure(self, images: Iterable[Tensor]) -> None:
        """Take mean and standard deviation from images (channel, height, width)."""
        count, first, second = (
            0,
            torch.zeros(self.mean.numel()).double(),
            torch.zeros(self.mean.numel()).double(),
        )
        for image in images:
            pixels = image.flatten(1).double()
            count += pixels.shape[1]
            first += pixels.sum(1)
            second += (pixels**2).sum(1)
        mean = first / count
        self.mean.copy_(mean[:, None, None])
        self.std.copy_((second / count - mean**2).clamp_min(1e-6).sqrt()[:, None, None])

    def normalised(self, image: Tensor, inside: Tensor) -> Tensor:
        """Return images of mean 0 and standard deviation 1, 0 in the padding."""
        return (image - self.mean) / self.std * inside

    def restored(self, image: Tensor) -> Tensor:
        """Take normalised images back."""
        return image.float() * self.std + self.mean
