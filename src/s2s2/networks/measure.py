"""Size and speed of a network: its parameters, and the time of one image on this machine."""

from __future__ import annotations

import time

import torch
from torch import nn

from s2s2.networks.build import build_network
from s2s2.networks.config import NetworkConfig

_ROUNDS, _ENOUGH_S = 3, 0.5
"""At most so many passes are timed, and none after so many seconds."""


def count_parameters(config: NetworkConfig, *, channels: int = 3, classes: int = 2) -> int:
    """Return the number of weights of a network, of which none is made.

    Example:
        >>> sizes = {"in_channels": "{channels}", "out_channels": "{classes}", "kernel_size": 1}
        >>> count_parameters(NetworkConfig("torch.nn.Conv2d", sizes))
        8
    """
    with torch.device("meta"):
        network = build_network(config.untrained(), channels=channels, classes=classes)
    return sum(each.numel() for each in network.parameters())


def seconds_per_image(network: nn.Module, *, channels: int, size: int) -> float:
    """Return the shortest time of a forward pass of one square image of zeros, in seconds.

    Args:
        network: In evaluation mode while it is timed, and left there.
        channels: Of the image.
        size: Its height and width in pixels.
    """
    device = next(network.parameters()).device
    image = torch.zeros(1, channels, size, size, device=device)
    network.eval()
    taken: list[float] = []
    with torch.inference_mode():
        network(image)  # warms up
        while len(taken) < _ROUNDS and sum(taken) < _ENOUGH_S:
            started = time.perf_counter()
            network(image).cpu()
            taken.append(time.perf_counter() - started)
    return min(taken)
