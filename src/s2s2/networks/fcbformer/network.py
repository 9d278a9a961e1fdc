"""FCBFormer: the network with which the paper segments polyps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from s2s2.networks.built_in import require_multiple, require_numbers
from s2s2.networks.fcbformer.convolutional import ConvolutionalBranch
from s2s2.networks.fcbformer.head import PredictionHead
from s2s2.networks.fcbformer.transformer import TransformerBranch

STRIDE = 32
"""Height and width of the input must be multiples of this."""


class FCBFormer(nn.Module):
    """Transformer and fully convolutional network side by side, and a head on the features of both.

    The transformer branch, a PVTv2-b3 with a light decoder, says what is in the image at a quarter of its
    resolution; the convolutional branch, a U-Net, adds what gets lost below it. The published network has one
    logit for polyps, under a sigmoid. This one has a logit a class, under a softmax: with two classes that is
    the sigmoid of their difference, so the same family of functions.

    The taps are those of semantic stacking: the output of the transformer branch, that of the convolutional
    branch's encoder, before its bottleneck, and in the decoder what the last convolution classifies.

    The published images are of 352 x 352 px. The branches start from different weights: the backbone from
    ImageNet where `weights` are given, all else from random ones.

    Args:
        channels: Of the input, at least 1. A backbone of RGB images takes others as `repeat_stem` says.
        classes: Of the output with the background, at least 2.
        weights: Folder or hub id of the backbone in the layout of transformers, alone or with its classifier:
            `config.json` and `model.safetensors`. None for random ones.
        widths: Channels of the backbone's four stages, as published those of PVTv2-b3.
        depths: Transformer blocks of the backbone's four stages. PVTv2-b2 has 3, 4, 6, 3.

    Shape:
        - images: (batch, channel, height, width), normalised; height and width multiples of 32.
        - returns: logits, (batch, class, height, width).

    Raises:
        NetworkError: If channels or classes are too few, an image's size is no multiple of 32, transformers
            is not installed, or the weights do not fit.

    Example:
        >>> network = FCBFormer(1, 3, widths=(32, 32, 160, 64), depths=(1, 1, 1, 1))
        >>> network(torch.zeros(2, 1, 32, 64)).shape
        torch.Size([2, 3, 32, 64])

    Reference:
        Sanderson and Matuszewski, *FCN-Transformer Feature Fusion for Polyp Segmentation*, MIUA 2022,
        arXiv:2208.08352; Wang et al., *PVT v2*, Computational Visual Media 2022, arXiv:2106.13797.
    """

    encoder_taps = ("transformer_branch", "convolutional_branch.encoder.5.blocks.1")
    decoder_taps = ("head.blocks.1",)

    def __init__(
        self,
        channels: int,
        classes: int,
        weights: str | None = None,
        widths: Sequence[int] = (64, 128, 320, 512),
        depths: Sequence[int] = (3, 4, 18, 3),
    ) -> None:
        super().__init__()
        require_numbers(self, channels=channels, classes=classes)
        self.transformer_branch = TransformerBranch(channels, widths, depths, weights)
        self.convolutional_branch = ConvolutionalBranch(channels)
        joined = TransformerBranch.width + ConvolutionalBranch.width
        self.head = PredictionHead(joined, TransformerBranch.width, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits."""
        require_multiple(self, images, STRIDE)
        coarse = self.transformer_branch(images)
        fine = self.convolutional_branch(images)
        # Nearest, as published: the convolutions of the head smooth the steps.
        coarse = F.interpolate(coarse, size=images.shape[-2:], mode="nearest")
        return cast(Tensor, self.head(torch.cat([coarse, fine], dim=1)))
