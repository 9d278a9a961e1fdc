"""The convolutional part of the encoder: ResNet-50 up to 1/16, weights standardised, groups normalised."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from s2s2.networks.built_in import repeat_stem

_GROUPS = 32
_EPSILON = 1e-6
_COLOURS = 3


def standardised(weight: Tensor) -> Tensor:
    r"""Return kernels of mean 0 and variance 1 in each output channel, $(w - m) / \sqrt{v + 10^{-5}}$.

    Reference:
        Qiao et al., *Micro-batch training with batch-channel normalization and weight standardization*,
        arXiv:1903.10520.

    Example:
        >>> standardised(torch.tensor([[[[1.0, 3.0]]]])).round(decimals=3).tolist()
        [[[[-1.0, 1.0]]]]
    """
    variance, mean = torch.var_mean(weight, dim=(1, 2, 3), keepdim=True, correction=0)
    return (weight - mean) / (variance + 1e-5).sqrt()


class StandardisedConv2d(nn.Conv2d):
    """Convolution without bias, by standardised kernels."""

    def __init__(self, channels: int, width: int, kernel: int, stride: int = 1) -> None:
        super().__init__(channels, width, kernel, stride, padding=kernel // 2, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return the convolution."""
        return F.conv2d(x, standardised(self.weight), None, self.stride, self.padding)


class Unit(nn.Module):
    """Bottleneck of three convolutions, each normalised, beside the input or a projection of it.

    Args:
        channels: Of the input.
        width: Of the bottleneck; the output has four times as many channels.
        stride: Of the 3 x 3 convolution and of the projection.

    Shape:
        - x: (batch, channel, height, width).
        - returns: (batch, 4 * width, height / stride, width / stride), rounded up.
    """

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        out = 4 * width
        self.conv1, self.gn1 = StandardisedConv2d(channels, width, 1), _group_norm(width)
        self.conv2, self.gn2 = StandardisedConv2d(width, width, 3, stride), _group_norm(width)
        self.conv3, self.gn3 = StandardisedConv2d(width, out, 1), _group_norm(out)
        self.projected = stride != 1 or channels != out
        if self.projected:
            self.conv_proj = StandardisedConv2d(channels, out, 1, stride)
            # TransUNet normalises each channel of the projection by itself, with torch's default epsilon.
            self.gn_proj = nn.GroupNorm(out, out)

    def forward(self, x: Tensor) -> Tensor:
        """Return the sum of both paths, rectified."""
        beside = self.gn_proj(self.conv_proj(x)) if self.projected else x
        y = F.relu(self.gn1(self.conv1(x)))
        y = F.relu(self.gn2(self.conv2(y)))
        return F.relu(beside + self.gn3(self.conv3(y)))


class ResNet(nn.Module):
    """ResNet up to 1/16 of the resolution.

    The stem's kernels are for three colours. A grey image is repeated; for other numbers of channels the stem
    is an ordinary convolution that starts from the standardised kernels by `repeat_stem`, since standardising
    would lose their scale.

    Args:
        channels: Of the images.
        width: Channels of the stem.
        units: Of each block; block k has `width * 4 * 2^k` channels.

    Shape:
        - images: (batch, channel, height, width), height and width multiples of 16.
        - returns: the last block's output at 1/16, and the skips at 1/8, 1/4 and 1/2.
    """

    def __init__(self, channels: int, width: int, units: Sequence[int]) -> None:
        super().__init__()
        self.repeated = channels == 1
        self.conv_root: nn.Conv2d = StandardisedConv2d(_COLOURS, width, 7, 2)
        if channels not in (1, _COLOURS):
            kernels = stem_kernels(self.conv_root.weight.detach(), channels)
            self.conv_root = nn.Conv2d(channels, width, 7, 2, padding=3, bias=False)
            self.conv_root.weight = nn.Parameter(kernels)
        self.gn_root = _group_norm(width)
        blocks: list[nn.Module] = []
        incoming = width
        for index, number in enumerate(units):
            narrow = width * 2**index
            strides = [2 if index else 1] + [1] * (number - 1)
            layers: list[nn.Module] = []
            for stride in strides:
                layers.append(Unit(incoming, narrow, stride))
                incoming = 4 * narrow
            blocks.append(nn.Sequential(*layers))
        self.blocks = nn.ModuleList(blocks)
        self.width = incoming
        self.skip_widths = (*(4 * width * 2**index for index in reversed(range(len(units) - 1))), width)

    def forward(self, images: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return the deepest features, and the skips, the deepest first."""
        if self.repeated:
            images = images.expand(-1, _COLOURS, -1, -1)
        x = F.relu(self.gn_root(self.conv_root(images)))
        skips = [x]
        x = F.max_pool2d(x, 3, 2)  # without padding, as published: one row and column less than 1/4
        for index, block in enumerate(self.blocks):
            x = block(x)
            skips.append(F.pad(x, (0, 1, 0, 1)) if index == 0 else x)
        return x, skips[-2::-1]


def stem_kernels(weight: Tensor, channels: int) -> Tensor:
    """Make the stem's kernels of RGB images those of a number of channels."""
    return weight if channels in (1, _COLOURS) else repeat_stem(standardised(weight), channels)


def _group_norm(channels: int) -> nn.GroupNorm:
    return nn.GroupNorm(_GROUPS, channels, eps=_EPSILON)
