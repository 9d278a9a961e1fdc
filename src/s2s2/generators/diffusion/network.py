"""The network: MONAI's diffusion U-Net, shown the mask beside the noisy image."""

from __future__ import annotations

from functools import partial

import torch
from monai.networks.nets.diffusion_model_unet import DiffusionModelUNet
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

TIME_SCALE = 1000.0
"""MONAI embeds times as diffusion counts them, from 0 to 1000."""


class MaskUNet(nn.Module):
    """Predicts the flow's direction from noisy images and what must be shown.

    Blocks of `patch` x `patch` pixels are folded into channels first: on a CPU the
    finest level costs most and teaches least.

    Args:
        channels: Of the images or latents.
        condition: Channels of the condition: one-hot mask and what lies inside the image.
        settings: Numbers that say how an image was turned and zoomed.
        widths: Channels of each level; the coarsest attends.
        blocks: Residual blocks a level.
        patch: Side of the folded blocks.
        checkpointing: Compute activations twice to save memory.

    Shape:
        - image: (batch, channel, side, side).
        - condition: (batch, condition, side, side).
        - settings: (batch, setting).
        - times: (batch,).
        - returns: as image.
    """

    def __init__(
        self,
        channels: int,
        condition: int,
        settings: int,
        *,
        widths: tuple[int, ...],
        blocks: int,
        patch: int,
        checkpointing: bool = False,
    ) -> None:
        super().__init__()
        self.patch = patch
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
        if checkpointing:
            for block in [*self.unet.down_blocks, self.unet.middle_block, *self.unet.up_blocks]:
                block.forward = partial(checkpoint, block.forward, use_reentrant=False)

    def forward(self, image: Tensor, condition: Tensor, settings: Tensor, times: Tensor) -> Tensor:
        """Return the direction."""
        folded = functional.pixel_unshuffle(torch.cat([image, condition], 1), self.patch)
        planes = settings[:, :, None, None].expand(-1, -1, *folded.shape[2:])
        out = self.unet(torch.cat([folded, planes], 1), TIME_SCALE * times)
        return functional.pixel_shuffle(out, self.patch)
