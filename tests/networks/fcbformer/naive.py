"""The parts of FCBFormer once more, in plain tensor arithmetic, by the published numbers."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

TINY = {"widths": [32, 32, 160, 64], "depths": [1, 1, 1, 1]}
"""A backbone of four blocks."""


def convolve(x: Tensor, layer: nn.Conv2d, stride: int = 1) -> Tensor:
    """Convolve with 3 x 3 or 1 x 1 pixels: every offset of the kernel is one product of matrices."""
    side = layer.weight.shape[-1]
    height, width = x.shape[-2:]
    padded = torch.zeros(*x.shape[:2], height + side - 1, width + side - 1)
    padded[..., side // 2 : side // 2 + height, side // 2 : side // 2 + width] = x
    total = layer.bias[:, None, None].expand(len(layer.weight), height, width)
    for row in range(side):
        for column in range(side):
            moved = padded[..., row : row + height, column : column + width]
            total = total + torch.einsum("oc,bchw->bohw", layer.weight[:, :, row, column], moved)
    return total[..., ::stride, ::stride]


def normalise(x: Tensor, layer: nn.GroupNorm) -> Tensor:
    """Normalise 32 groups of channels, image by image."""
    made = torch.empty_like(x)
    size = x.shape[1] // 32
    for image in range(len(x)):
        for first in range(0, x.shape[1], size):
            group = x[image, first : first + size]
            centred = group - group.mean()
            made[image, first : first + size] = centred / (centred.square().mean() + 1e-5).sqrt()
    return made * layer.weight[:, None, None] + layer.bias[:, None, None]


def residual(x: Tensor, layers: Iterator[nn.Module]) -> Tensor:
    """Take the next two normalisations and convolutions, and one of the short cut where the width changes."""
    y = x
    for _ in range(2):
        y = normalise(y, next(layers))
        y = convolve(y / (1 + torch.exp(-y)), next(layers))
    return y + (x if y.shape[1] == x.shape[1] else convolve(x, next(layers)))


def enlarge(x: Tensor, factor: int) -> Tensor:
    """Repeat every pixel."""
    return x.repeat_interleave(factor, dim=2).repeat_interleave(factor, dim=3)


def layers_of(*modules: nn.Module) -> Iterator[nn.Module]:
    """Return all convolutions and normalisations in the order in which they are defined."""
    kinds = (nn.Conv2d, nn.GroupNorm)
    return iter([each for module in modules for each in module.modules() if isinstance(each, kinds)])


def disturb(module: nn.Module) -> nn.Module:
    """Move every parameter, so that none is left at a neutral 0 or 1."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter += 0.1 * torch.randn(parameter.shape, generator=generator)
    return module.eval()
