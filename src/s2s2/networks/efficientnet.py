"""EfficientNet-b2 U-Net: the base network of SLAug."""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor, nn

from s2s2.networks.built_in import MOMENTUM, repeat_stem, require_multiple, require_numbers
from s2s2.networks.weights import find_weights, load_exactly, read_tensors

STRIDE = 32
"""Height and width of the input must be multiples of this."""

_NAME = "efficientnet-b2"
_WIDTHS = (32, 24, 48, 120, 352)
"""Channels of the encoder's features, from 1/2 to 1/32 of the resolution."""
_STACKS = (0, 2, 3, 5, 7)
"""After how many stacks of blocks they are taken; the first are those of the stem."""
_CLASSIFIER = ("_conv_head", "_conv_head_padding", "_bn1", "_avg_pooling", "_dropout", "_fc")
_DECODER = (256, 128, 64, 32, 16)
_STEM = "_conv_stem.weight"


class EfficientNetB2UNet(nn.Module):
    """U-Net with an EfficientNet-b2 encoder, as `segmentation_models_pytorch.Unet` builds it.

    The encoder halves the image five times; each of the decoder's blocks doubles the resolution by nearest
    neighbours, joins the encoder's features there, and convolves twice. The parts are MONAI's. Two things
    differ: the convolution before the classifier, which no output depends on, is left out (0.5 million
    weights), and batch normalisation in the encoder follows new images faster.

    Args:
        channels: Of the input, at least 1.
        classes: Of the output with the background, at least 2.
        weights: File of the encoder's tensors by the names of MONAI's `EfficientNetBN` or of the package
            efficientnet_pytorch, or None for random weights, which SLAug starts from. For images of other
            than 3 channels see `repeat_stem`.

    Shape:
        - images: (batch, channel, height, width), normalised; height and width multiples of 32.
        - returns: logits, (batch, class, height, width).

    Raises:
        NetworkError: If channels or classes are too few, an image's size is no multiple of 32, or the weights
            do not fit.

    Example:
        >>> import torch
        >>> network = EfficientNetB2UNet(channels=1, classes=3)
        >>> network(torch.zeros(2, 1, 32, 64)).shape
        torch.Size([2, 3, 32, 64])

    Reference:
        Tan and Le, *EfficientNet*, ICML 2019, arXiv:1905.11946; Su et al., *Rethinking data augmentation for
        single-source domain generalization in medical image segmentation*, AAAI 2023, arXiv:2211.14805.
    """

    encoder_taps = ("encoder._blocks.6",)
    decoder_taps = ("decoder",)

    def __init__(self, channels: int, classes: int, weights: str | None = None) -> None:
        super().__init__()
        require_numbers(self, channels=channels, classes=classes)
        self.encoder = _encoder(channels)
        self.decoder = _decoder(channels)
        self.head = nn.Conv2d(_DECODER[-1], classes, kernel_size=3, padding=1)
        if weights is not None:
            path = find_weights(weights)
            load_exactly(self.encoder, encoder_tensors(self.encoder, read_tensors(path), channels), path)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits."""
        require_multiple(self, images, STRIDE)
        return self.head(self.decoder(self.encoder(images)))  # type: ignore[no-any-return]


def _encoder(channels: int) -> nn.Module:
    from monai.networks.nets.efficientnet import EfficientNetEncoder

    encoder: nn.Module = EfficientNetEncoder(
        _NAME,
        pretrained=False,
        spatial_dims=2,
        in_channels=channels,
        norm=("batch", {"eps": 1e-3, "momentum": MOMENTUM}),
    )
    # MONAI's own choice at 1/2, the first stack, has half the channels of the stem.
    encoder.extract_stacks = _STACKS  # type: ignore[assignment]
    for name in _CLASSIFIER:
        delattr(encoder, name)
    return encoder


def _decoder(channels: int) -> nn.Module:
    from monai.networks.nets.flexible_unet import UNetDecoder

    decoder: nn.Module = UNetDecoder(
        spatial_dims=2,
        encoder_channels=(channels, *_WIDTHS),
        decoder_channels=_DECODER,
        act=("relu", {"inplace": True}),
        norm="batch",
        dropout=0.0,
        bias=False,
        upsample="nontrainable",
        pre_conv=None,  # or the features would be halved before the join
        interp_mode="nearest",
        align_corners=None,
        is_pad=False,
    )
    return decoder


def encoder_tensors(encoder: nn.Module, tensors: Mapping[str, Tensor], channels: int) -> dict[str, Tensor]:
    """Return the tensors of a file by the encoder's names, those of the classifier left out.

    Args:
        encoder: Says which names there are.
        tensors: Of the file, by MONAI's names, `_blocks.stack.block.`, or without the stack.
        channels: Of the images.
    """
    names = {re.sub(r"^(_blocks)\.\d+(\.\d+\.)", r"\1\2", name): name for name in encoder.state_dict()}
    found = {
        names.get(name, name): tensor
        for name, tensor in tensors.items()
        if name.partition(".")[0] not in _CLASSIFIER
    }
    if _STEM in found and found[_STEM].ndim == 4:
        found[_STEM] = repeat_stem(found[_STEM], channels)
    return found
