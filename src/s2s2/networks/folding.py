"""Batch normalisation folded into the convolutions before it, for a faster prediction."""

from __future__ import annotations

import copy
from collections import Counter
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

PROBE_SIDE = 64
"""Height and width in px of the image that shows which layers follow each other."""
TOLERANCE = 1e-4
"""Largest difference of a logit, relative to the largest logit, that rounding may make."""


def fold_batch_norm(network: nn.Module, channels: int) -> nn.Module:
    r"""Return a network of the same logits with fewer layers, or the network itself.

    In evaluation mode a batch normalisation is a fixed scale and shift of each channel, so it
    goes into a convolution whose output is all that it reads. With the convolution's
    weights $W$ and bias $b$, and the normalisation's mean $m$, variance $v$, scale $g$ and shift $h$,

    $$W' = \frac{g}{\sqrt{v + \epsilon}} W, \qquad b' = \frac{g}{\sqrt{v + \epsilon}} (b - m) + h.$$

    Which layers follow each other is seen by sending noise through the network. The folded
    copy must then give the same logits, but for rounding. Where it does not, or the network
    takes no image of 64 x 64 px, or does not lie on the CPU, nothing is folded.

    Args:
        network: In evaluation mode. It is not changed.
        channels: Of its input.

    Example:
        >>> layers = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2)).eval()
        >>> fold_batch_norm(layers, channels=1)
        Sequential(
          (0): Conv2d(1, 2, kernel_size=(3, 3), stride=(1, 1))
          (1): Identity()
        )
    """
    if not any(_foldable(module) for module in network.modules()) or not _on_cpu(network):
        return network
    probe = torch.randn(1, channels, PROBE_SIDE, PROBE_SIDE, generator=torch.Generator().manual_seed(0))
    try:
        with torch.no_grad():
            pairs, expected = _watch(network, probe)
            folded = _fold(network, pairs)
            same = bool((folded(probe) - expected).abs().max() <= TOLERANCE * expected.abs().max())
    except Exception:  # a foreign network may do anything with its layers
        return network
    return folded if same else network


def _foldable(module: nn.Module) -> bool:
    """Say whether a layer is a batch normalisation by fixed statistics."""
    return type(module) is nn.BatchNorm2d and module.running_mean is not None and not module.training


def _on_cpu(network: nn.Module) -> bool:
    return all(tensor.device.type == "cpu" for tensor in (*network.parameters(), *network.buffers()))


def _watch(network: nn.Module, images: Tensor) -> tuple[list[tuple[str, str]], Tensor]:
    """Return the convolutions whose output goes into a normalisation, with that, and the logits."""
    calls: Counter[str] = Counter()
    outputs: dict[int, tuple[str, Tensor]] = {}
    pairs: list[tuple[str, str]] = []
    hooks = []
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d):

            def made(_: nn.Module, __: object, output: Tensor, name: str = name) -> None:
                calls[name] += 1
                outputs[id(output)] = name, output  # kept, so that no other tensor gets its id

            hooks.append(module.register_forward_hook(made))
        elif _foldable(module):

            def read(_: nn.Module, given: tuple[Tensor, ...], name: str = name) -> None:
                calls[name] += 1
                if id(given[0]) in outputs:
                    pairs.append((outputs[id(given[0])][0], name))

            hooks.append(module.register_forward_pre_hook(read))
    try:
        logits: Tensor = network(images)
    finally:
        for hook in hooks:
            hook.remove()
    return [pair for pair in pairs if all(calls[name] == 1 for name in pair)], logits


def _fold(network: nn.Module, pairs: list[tuple[str, str]]) -> nn.Module:
    folded = copy.deepcopy(network)
    for convolution, normalisation in pairs:
        before, after = folded.get_submodule(convolution), folded.get_submodule(normalisation)
        fused = fuse_conv_bn_eval(cast(nn.Conv2d, before), cast(nn.BatchNorm2d, after))
        folded.set_submodule(convolution, fused)
        folded.set_submodule(normalisation, nn.Identity())
    return folded
