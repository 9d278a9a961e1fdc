"""Averaged weights: what samples, and what is kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class Ema:
    r"""An exponential moving average of a network's parameters.

    After step $n$ the average moves by $a \leftarrow d a + (1 - d) w$ with
    $d = \min(\text{decay}, (1 + n) / (10 + n))$, so that the first random weights
    are soon forgotten.

    Args:
        network: Its parameters that learn are averaged.
        decay: In [0, 1); 0 follows the parameters.

    Example:
        >>> layer = nn.Linear(1, 1, bias=False)
        >>> ema = Ema(layer, decay=0.5)
        >>> _ = layer.weight.data.add_(1)
        >>> ema.update(step=100)
        >>> with ema.applied(layer):
        ...     inside = layer.weight.item()
        >>> round(layer.weight.item() - inside, 3)
        0.5
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self._live = [parameter for parameter in network.parameters() if parameter.requires_grad]
        self._decay = decay
        self._average = [parameter.detach().clone().float() for parameter in self._live]

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Move towards the parameters as they are after `step` steps."""
        decay = min(self._decay, (1 + step) / (10 + step))
        if self._average and self._average[0].device != self._live[0].device:
            self._average = [tensor.to(self._live[0].device) for tensor in self._average]
        torch._foreach_lerp_(self._average, [parameter.float() for parameter in self._live], 1 - decay)

    @contextmanager
    def applied(self, network: nn.Module) -> Iterator[None]:
        """Put the averages in the place of the parameters for the block."""
        own = [parameter.detach().clone() for parameter in self._live]
        training = network.training
        self._copy(self._average)
        network.eval()
        try:
            yield
        finally:
            self._copy(own)
            network.train(training)

    @torch.no_grad()
    def _copy(self, values: list[Tensor]) -> None:
        for parameter, value in zip(self._live, values, strict=True):
            parameter.copy_(value)

    def state(self) -> list[Tensor]:
        """Return the averages."""
        return self._average

    def restore(self, state: list[Tensor]) -> None:
        """Go on from averages that `state` returned."""
        self._average = [
            saved.to(parameter.device).float() for saved, parameter in zip(state, self._live, strict=True)
        ]
