"""Collapse meter: whether a consistency still asks for anything, or all features are alike."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from s2s2.objective.rows import kept, last
from s2s2.objective.sides import Features, apart, axis_of


class Collapse(NamedTuple):
    r"""How much the features of one side are alike, whatever they are of.

    Means are over both images, the batch and all positions of features $f$. With several taps, all
    but `relative` are their means. What cannot be measured is NaN.

    Reference:
        Roy and Vetterli, *The effective rank*, EUSIPCO 2007.
    """

    common: float
    r"""Share of the common component, $|\bar f|^2 / \overline{|f|^2}$, in [0, 1]: at 1 all features are
    one vector."""
    placed: float
    r"""What unrelated images have in common at one position $i$, $\overline{f_i \cdot g'_i}$ over the root of
    $\overline{|f|^2} \; \overline{|g'|^2}$ with $g'$ of another case, at most 1:
    there, features tell where they are and not what the image shows."""
    rank: float
    r"""Effective rank $e^{H(\lambda)}$, $H$ the entropy of the normalised eigenvalues of the
    channels' covariance: from 1 to the number of channels, 0 where features do not vary."""
    relative: float
    """Distance of the pairs over that of unrelated pairs, the real image of a case and the synthetic image
    of another one of the batch: at 1 a pair is no closer than any two images."""


@torch.no_grad()
def measure(
    consistency: Callable[..., Tensor],
    real: Features,
    synthetic: Features,
    mask: Tensor,
    ignore: Tensor | None,
) -> Collapse:
    """Measure the features of one side of a step, without gradient.

    Two items of a batch count as unrelated. A batch of one has none: `placed` and `relative` are NaN.

    Args:
        consistency: The distance of the step, which has seen these features.
        real: Features of the real images, at least one tap.
        synthetic: Those of the synthetic images.
        mask: (batch, *size), class ids.
        ignore: (batch, *size), bool, or None.
    """
    size, spreads = mask.shape[1:], []
    for name, feature in real.items():
        dim = axis_of(consistency, feature, size)
        views = [feature.value, synthetic[name].value]
        with torch.autocast(mask.device.type, enabled=False):  # mixed precision would sum in half
            spreads.append(_spread([last(value, dim) for value in views], ignore))
    common, placed, rank = (sum(values) / len(spreads) for values in zip(*spreads, strict=True))
    relative = math.nan
    if len(mask) > 1:
        others = {name: f._replace(value=_turned(f.value)) for name, f in synthetic.items()}
        unrelated = apart(consistency, real, others, mask, None if ignore is None else _turned(ignore))
        pairs = apart(consistency, real, synthetic, mask, ignore)
        relative = 1.0 if unrelated <= 0 else float(pairs / unrelated)
    return Collapse(common, placed, rank, relative)


def _turned(batch: Tensor) -> Tensor:
    """Give every case what belongs to another one."""
    return batch.roll(1, 0)


def _spread(views: list[Tensor], ignore: Tensor | None) -> tuple[float, float, float]:
    """What all but `relative` are of two views (batch, *grid, channel)."""
    weights = kept(ignore, views[0][..., 0])
    total = 2 * weights.sum()
    # Image by image: a copy of all rows would double the memory of the step.
    images = [
        (image.reshape(-1, image.shape[-1]), weight.reshape(-1, 1))
        for view in views
        for image, weight in zip(view, weights, strict=True)
    ]
    mean = torch.stack([(weight * rows).sum(0) for rows, weight in images]).sum(0) / total
    power = torch.stack([(weight * rows.square()).sum() for rows, weight in images]).sum() / total
    covariance = torch.zeros(len(mean), len(mean), dtype=mean.dtype, device=mean.device)
    for rows, weight in images:
        centred = rows - mean
        covariance += (weight * centred).T @ centred / total
    common = float(mean.square().sum() / power)
    return common, _placed(views[0], _turned(views[1]), _turned(weights)), _effective_rank(covariance)


def _placed(real: Tensor, other: Tensor, weights: Tensor) -> float:
    if len(real) < 2:
        return math.nan
    both, first, second = (
        (weights * (f * g).sum(-1)).sum() for f, g in ((real, other), (real, real), (other, other))
    )
    return float(both / (first * second).sqrt())


def _effective_rank(covariance: Tensor) -> float:
    if not covariance.isfinite().all():
        return math.nan
    eigenvalues = torch.linalg.eigvalsh(covariance).clamp(min=0)
    if not eigenvalues.sum() > 0:
        return 0.0
    shares = eigenvalues / eigenvalues.sum()
    return math.exp(-float(torch.special.xlogy(shares, shares).sum()))
