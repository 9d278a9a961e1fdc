"""A foundation encoder that stays as it is, and a light decoder that learns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from s2s2.networks.built_in import require_multiple, require_numbers
from s2s2.networks.dino.decoder import Decoder, Detail
from s2s2.networks.dino.encoder import SMALL, TAKEN, Encoder, architecture, model_folder

STRIDE = 8
"""Height and width of the input must be multiples of this."""


class DinoLight(nn.Module):
    """DINOv2 or DINOv3, frozen, under a light convolutional decoder.

    Features of four blocks, spread evenly, are projected by 1 x 1 convolutions. The decoder joins them at
    1/8, 1/4 and 1/2 of the resolution with the output of three strided convolutions on the image, which see
    what is finer than a patch; the logits are interpolated to the full resolution.

    The tap of the encoder is the projection of the deepest block: what comes before it is frozen, so that a
    consistency there would teach nothing.

    Args:
        channels: Of the input, at least 1. The encoder sees the mean of other than 3 channels, the
            convolutions on the image see them all.
        classes: Of the output with the background, at least 2.
        weights: Folder or hub id of a model of transformers (config.json, model.safetensors): DINOv2, with
            or without registers, or the vision transformers of DINOv3. None for random weights.
        encoder: Architecture of the encoder, as in config.json. None takes that of the weights, or without
            any the small one of DINOv2.
        frozen: Whether the encoder stays as it is.
        widths: Channels of the projections, the deepest first, and of the decoder's blocks but for the first.

    Shape:
        - images: (batch, channel, height, width), normalised by ImageNet's statistics; height and width
          multiples of 8.
        - returns: logits, (batch, class, height, width).

    Raises:
        NetworkError: If channels or classes are too few, an image's size is no multiple of 8, transformers is
            missing, or the weights are of another kind of model or do not fit.

    Example:
        >>> import torch
        >>> tiny = {"hidden_size": 24, "num_hidden_layers": 4, "num_attention_heads": 2}
        >>> network = DinoLight(1, 3, encoder={"model_type": "dinov2", **tiny}, widths=(16, 8, 8, 8))
        >>> network(torch.zeros(2, 1, 32, 64)).shape
        torch.Size([2, 3, 32, 64])

    Reference:
        Oquab et al., *DINOv2*, TMLR 2024, arXiv:2304.07193; Siméoni et al., *DINOv3*, 2025, arXiv:2508.10104.
    """

    encoder_taps = ("projections.0",)
    decoder_taps = ("decoder",)

    def __init__(
        self,
        channels: int,
        classes: int,
        weights: str | None = None,
        *,
        encoder: Mapping[str, Any] | None = None,
        frozen: bool = True,
        widths: Sequence[int] = (256, 128, 64, 32),
    ) -> None:
        super().__init__()
        require_numbers(self, channels=channels, classes=classes)
        folder = None if weights is None else model_folder(weights)
        if encoder is None:
            encoder = SMALL if folder is None else architecture(folder)
        self.encoder = Encoder(encoder, frozen=frozen, folder=folder)
        self.projections = nn.ModuleList(
            nn.Conv2d(self.encoder.width, width, kernel_size=1)
            for _, width in zip(range(TAKEN), widths, strict=True)
        )
        details = [width // 2 for width in widths[1:]]
        self.detail = Detail(channels, details[::-1])
        self.decoder = Decoder(widths[0], widths[1:], details)
        self.head = nn.Conv2d(widths[-1], classes, kernel_size=1)

    @staticmethod
    def init_args_of(weights: str) -> dict[str, Any]:
        """Return the arguments without which the network of these weights cannot be built again.

        Raises:
            NetworkError: If there is no such model.
        """
        return {"encoder": architecture(model_folder(weights))}

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits."""
        require_multiple(self, images, STRIDE)
        maps = self.encoder(images)
        features = [project(each) for project, each in zip(self.projections, reversed(maps), strict=True)]
        logits = self.head(self.decoder(features, self.detail(images)[::-1]))
        return F.interpolate(logits, scale_factor=2, mode="bilinear", align_corners=False)
