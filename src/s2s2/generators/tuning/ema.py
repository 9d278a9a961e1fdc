"""Exponential moving average (EMA) of the weights: what samples, and what is kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback
from torch import Tensor, nn


class AveragedWeights(Callback):
    r"""Keeps an exponential moving average of a network's parameters.

    After step $n$ the average moves by $a \leftarrow d a + (1 - d) w$ with
    $d = \min(\text{decay}, (1 + n) / (10 + n))$, so that the first random weights
    are soon forgotten.

    Args:
        network: Its parameters that learn are averaged.
        decay: In [0, 1); 0 follows the parameters.

    Example:
        >>> layer = nn.Linear(1, 1, bias=False)
        >>> ema = AveragedWeights(layer, decay=0.5)
        >>> _ = layer.weight.data.add_(1)
        >>> ema.update(step=100)
        >>> with ema.applied():
        ...     inside = layer.weight.item()
        >>> round(layer.weight.item() - inside, 3)
        0.5
    """

    # Lightning's EMAWeightAveraging copies the whole module, frozen base model included, starts from
    # the weights after the first step, and writes its averages where a state of `TunedModule` has none.

    def __init__(self, network: nn.Module, decay: float) -> None:
        self._network, self._decay = network, decay
        self._live = [parameter for parameter in network.parameters() if parameter.requires_grad]
        self._average = [parameter.detach().clone().float() for parameter in self._live]

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Follow the weights, once a step."""
        if (batch_idx + 1) % trainer.accumulate_grad_batches == 0:
            self.update(trainer.global_step)

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Move towards the parameters as they are after `step` steps."""
        decay = min(self._decay, (1 + step) / (10 + step))
        if self._average and self._average[0].device != self._live[0].device:
            self._average = [tensor.to(self._live[0].device) for tensor in self._average]
        torch._foreach_lerp_(self._average, [parameter.float() for parameter in self._live], 1 - decay)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Put the averages in the place of the network's parameters for the block."""
        own = [parameter.detach().clone() for parameter in self._live]
        training = self._network.training
        self._copy(self._average)
        self._network.eval()
        try:
            yield
        finally:
            self._copy(own)
            self._network.train(training)

    @torch.no_grad()
    def _copy(self, values: list[Tensor]) -> None:
        for parameter, value in zip(self._live, values, strict=True):
            parameter.copy_(value)

    def state_dict(self) -> dict[str, Any]:
        """Return the averages."""
        return {"average": self._average}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from the averages."""
        self._average = [
            saved.to(parameter.device).float()
            for saved, parameter in zip(state_dict["average"], self._live, strict=True)
        ]
