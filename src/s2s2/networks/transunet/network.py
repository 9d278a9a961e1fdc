"""TransUNet: tokens of a convolutional encoder that attend to each other, and a U-Net's decoder."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from s2s2.networks.built_in import require_multiple, require_numbers
from s2s2.networks.transunet.decoder import Decoder
from s2s2.networks.transunet.encoder import Encoder
from s2s2.networks.transunet.published import load_published

STRIDE = 16
"""Height and width of the input must be multiples of this."""


class TransUNet(nn.Module):
    """TransUNet with the encoder R50-ViT-B/16, as published; other sizes by its arguments.

    Images of any size and aspect ratio go through it: the position embedding, learnt on the 14 x 14 grid of a
    224 px image, is interpolated. Like the published network it differs from the one that the pretrained
    weights come from in two details: the first pooling does not pad, so that the skip at 1/4 ends in a row
    and a column of zeros, and the projections beside a unit are normalised channel by channel.

    Args:
        channels: Of the input, at least 1. A grey image is repeated to three channels; for other numbers see
            `ResNet`.
        classes: Of the output with the background, at least 2.
        weights: The file `R50+ViT-B_16.npz` of the vision transformer's authors (ImageNet-21k), or None for
            random weights. They start the encoder.
        stem: Channels of the ResNet's stem, a multiple of 32.
        units: Of the ResNet's three blocks.
        width: Channels of the tokens.
        depth: Blocks of the transformer.
        heads: Of the attention; their number divides the width.
        hidden: Width of the perceptrons.
        grid: Side of the learnt position embedding in tokens.
        dropout: In the transformer.
        decoder: Channels of the decoder's first convolution and of its four blocks.

    Shape:
        - images: (batch, channel, height, width), normalised; height and width multiples of 16.
        - returns: logits, (batch, class, height, width).

    Raises:
        NetworkError: If channels or classes are too few, an image's size is no multiple of 16, or the weights
            do not fit.

    Example:
        >>> import torch
        >>> small = {"stem": 32, "units": (1, 1, 1), "width": 24, "depth": 2, "heads": 2, "hidden": 32}
        >>> network = TransUNet(channels=1, classes=3, decoder=(16, 16, 8, 8, 8), **small)
        >>> network(torch.zeros(2, 1, 32, 64)).shape
        torch.Size([2, 3, 32, 64])

    Reference:
        Chen et al., *TransUNet: Transformers make strong encoders for medical image segmentation*, 2021,
        arXiv:2102.04306.
    """

    encoder_taps = ("encoder.norm",)
    decoder_taps = ("decoder",)

    def __init__(
        self,
        channels: int,
        classes: int,
        weights: str | None = None,
        *,
        stem: int = 64,
        units: Sequence[int] = (3, 4, 9),
        width: int = 768,
        depth: int = 12,
        heads: int = 12,
        hidden: int = 3072,
        grid: int = 14,
        dropout: float = 0.1,
        decoder: Sequence[int] = (512, 256, 128, 64, 16),
    ) -> None:
        super().__init__()
        require_numbers(self, channels=channels, classes=classes)
        self.encoder = Encoder(
            channels,
            stem=stem,
            units=units,
            width=width,
            depth=depth,
            heads=heads,
            hidden=hidden,
            grid=grid,
            dropout=dropout,
        )
        self.decoder = Decoder(width, self.encoder.resnet.skip_widths, decoder)
        self.head = nn.Conv2d(decoder[-1], classes, kernel_size=3, padding=1)
        if weights is not None:
            load_published(self.encoder, channels, weights)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits."""
        require_multiple(self, images, STRIDE)
        return self.head(self.decoder(*self.encoder(images)))  # type: ignore[no-any-return]
