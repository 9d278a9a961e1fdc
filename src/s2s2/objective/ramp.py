"""Ramp-up: consistency waits until the network segments, then its weight rises."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from s2s2.errors import ConfigError

SMOOTHING = 0.9
"""Share of the past in the running mean of the supervised loss."""


class Ramp(nn.Module):
    r"""Factor of the consistency's weights, from 0 to 1.

    It is 0 until the running mean of the real image's segmentation loss has fallen below a share of the loss
    of the first step. From then on, with the share $t$ of the ramp's steps that have passed, it is

    $$w(t) = e^{-5 (1 - t)^2}, \qquad t = \min(1, s / S).$$

    A network that has learnt nothing meets a consistency by features that are all alike;
    one that segments must keep its classes apart. The running mean is
    $\bar L \leftarrow 0.9 \bar L + 0.1 L$. What has begun does not stop. A loss that never
    falls so far leaves the consistency out for good: watch `factor`. Only steps in training
    mode with gradients count; the state is part of the `state_dict`.

    Args:
        steps: $S$, steps from the beginning of the rise to the full weight, at least 1.
        below: Share of the first loss, above 0; infinity begins at the first step.

    Shape:
        - loss: the segmentation loss of the real image, a scalar.
        - returns: a scalar in [0, 1], without gradient.

    Raises:
        ConfigError: If a value is out of range.

    Example:
        >>> ramp = Ramp(steps=2, below=0.95)
        >>> [round(ramp(torch.tensor(loss)).item(), 3) for loss in (1.0, 0.6, 0.4, 0.9, 0.9)]
        [0.0, 0.0, 0.287, 1.0, 1.0]

    Reference:
        Laine and Aila, *Temporal Ensembling for Semi-Supervised Learning*, ICLR 2017,
        arXiv:1610.02242 (the sigmoid-shaped rise).
    """

    start: Tensor
    mean: Tensor
    passed: Tensor

    def __init__(self, steps: int, below: float = 0.5) -> None:
        super().__init__()
        if steps < 1:
            raise ConfigError(f"The steps of a ramp are {steps}. Expected at least 1.")
        if not below > 0:
            raise ConfigError(f"The share of the first loss, below, is {below}. Expected above 0.")
        self.steps, self.below = steps, below
        # Tensors, so that a GPU is never waited for.
        self.register_buffer("start", torch.tensor(math.nan))
        self.register_buffer("mean", torch.tensor(math.nan))
        self.register_buffer("passed", torch.tensor(0.0))

    @property
    def factor(self) -> Tensor:
        """The factor as it stands."""
        t = (self.passed / self.steps).clamp(max=1)
        return torch.where(self.passed > 0, torch.exp(-5 * (1 - t).square()), 0.0)

    def forward(self, loss: Tensor) -> Tensor:
        """Note the loss of a step and return the factor."""
        if self.training and torch.is_grad_enabled():
            self._note(loss.detach().float())
        return self.factor.to(loss.device)

    def extra_repr(self) -> str:
        """Return the options, for printing."""
        return f"steps={self.steps}, below={self.below}"

    def _note(self, loss: Tensor) -> None:
        start, mean, passed = (state.to(loss.device) for state in (self.start, self.mean, self.passed))
        first = start.isnan()
        start = torch.where(first, loss, start)
        mean = torch.where(first, loss, SMOOTHING * mean + (1 - SMOOTHING) * loss)
        begun = (passed > 0) | (mean < self.below * start)
        # In place: data-parallel wrappers keep the tensors that they found.
        for state, value in ((self.start, start), (self.mean, mean), (self.passed, passed + begun)):
            state.copy_(value)
