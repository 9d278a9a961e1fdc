"""Batch normalisation by the statistics of the images at hand instead of those of the training."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from s2s2.errors import NetworkError
from s2s2.networks.inference import infer_logits

_NORMALISING = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)


def adapt_batch_norm(network: nn.Module, batches: Iterable[Tensor], patch: int | None) -> None:
    r"""Set the running statistics of every batch normalisation to those of some images, in place.

    Of all $n$ values $x$ of a channel that reach a layer, over all batches,

    $$m = \frac{1}{n} \sum x, \qquad v = \frac{1}{n} \sum x^2 - m^2.$$

    Meanwhile each batch is normalised by its own mean and variance, so that what reaches the deeper
    layers does not depend on the statistics of the training. So their statistics depend a little on which
    images share a batch; those of the first layer do not. No weight changes, and no mask is needed. On
    images of another site this may gain or lose, so validate it on labelled ones.

    Args:
        network: In evaluation mode.
        batches: Normalised images, (batch, channel, height, width) each.
        patch: As `infer_logits` takes it.

    Raises:
        NetworkError: If there is no batch normalisation with running statistics.

    Example:
        >>> layer = nn.BatchNorm2d(1).eval()
        >>> adapt_batch_norm(layer, [torch.full((1, 1, 2, 2), 3.0), torch.full((1, 1, 2, 2), 5.0)], None)
        >>> layer.running_mean.item(), layer.running_var.item()
        (4.0, 1.0)

    Reference:
        Schneider et al., *Improving robustness against common corruptions by covariate shift
        adaptation*, NeurIPS 2020; Wu and Johnson, *Rethinking "Batch" in BatchNorm*,
        arXiv:2105.07576 (statistics of all images together).
    """
    counted = [(layer, _Moments()) for layer in network.modules() if _adaptable(layer)]
    if not counted:
        raise NetworkError(
            f"The network {type(network).__name__} has no batch normalisation with running statistics, so "
            "nothing in it can be adapted to images. Predict without adapting."
        )
    hooks = [layer.register_forward_pre_hook(_counting(moments)) for layer, moments in counted]
    try:
        with torch.no_grad():
            for images in batches:
                infer_logits(network, images, patch)
    finally:
        for hook in hooks:
            hook.remove()
    for layer, moments in counted:
        if moments.count:
            _set(layer, moments.mean, moments.variance)


@dataclass
class _Moments:
    """Sums over all values of each channel, in double precision."""

    count: int = 0
    first: Tensor | float = 0.0
    second: Tensor | float = 0.0

    def add(self, count: int, mean: Tensor, variance: Tensor) -> None:
        # On the CPU: not every device has double precision.
        mean, variance = mean.cpu().double(), variance.cpu().double()
        self.count += count
        self.first = self.first + count * mean
        self.second = self.second + count * (variance + mean**2)

    @property
    def mean(self) -> Tensor:
        return torch.as_tensor(self.first / self.count)

    @property
    def variance(self) -> Tensor:
        return torch.as_tensor(self.second / self.count - self.mean**2).clamp(min=0)


def _adaptable(layer: nn.Module) -> bool:
    return isinstance(layer, _NORMALISING) and layer.running_mean is not None


def _counting(moments: _Moments) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
    """Return a hook that counts what a layer is given, and lets it normalise by that alone."""

    def count(layer: nn.Module, given: tuple[Tensor, ...]) -> None:
        values = given[0].detach().float().transpose(0, 1).flatten(1)
        mean, variance = values.mean(1), values.var(1, correction=0)
        moments.add(values.shape[1], mean, variance)
        _set(layer, mean, variance)

    return count


def _set(layer: nn.Module, mean: Tensor, variance: Tensor) -> None:
    for name, value in (("running_mean", mean), ("running_var", variance)):
        layer.get_buffer(name).copy_(value)
