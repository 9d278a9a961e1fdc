"""Consistency losses: the distance between the features of two images of one mask."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from s2s2.errors import ConfigError
from s2s2.objective.pixels import VOID, class_shares, kept_share, on_grid
from s2s2.objective.rows import exact, pair_axis

Distance = Literal["cosine", "angular", "l1", "l2"]


def cosine(real: Tensor, synthetic: Tensor, dim: int) -> Tensor:
    """1 - cos, in [0, 2]; a zero vector counts as orthogonal. Not a metric."""
    return 1 - F.cosine_similarity(real, synthetic, dim=dim)


def angular(real: Tensor, synthetic: Tensor, dim: int) -> Tensor:
    """The angle over pi, in [0, 1]; a zero vector counts as orthogonal to all others.

    Taken from the half-angle, 2 atan2(|u - v|, |u + v|) of unit vectors u and v,
    whose gradient stays finite where the arc cosine's does not: at equal vectors.
    """
    u, v = F.normalize(real, dim=dim), F.normalize(synthetic, dim=dim)
    return torch.atan2(_norm(u - v, dim), _norm(u + v, dim)) * (2 / math.pi)


def l1(real: Tensor, synthetic: Tensor, dim: int) -> Tensor:
    """The mean absolute difference over channels, in the features' own unit."""
    return (real - synthetic).abs().mean(dim)


def l2(real: Tensor, synthetic: Tensor, dim: int) -> Tensor:
    """The Euclidean distance of the unit vectors, in [0, 2]: the chord of their angle."""
    return _norm(F.normalize(real, dim=dim) - F.normalize(synthetic, dim=dim), dim)


DISTANCES: dict[Distance, Callable[[Tensor, Tensor, int], Tensor]] = {
    "cosine": cosine,
    "angular": angular,
    "l1": l1,
    "l2": l2,
}


class ConsistencyLoss(nn.Module):
    r"""Distance between the features of a real and a synthetic image of one mask.

    Both images show the same mask, so a network that has learnt what the mask
    means gives them the same features. For features $f, g$ and a distance $d$ of
    the two channel vectors at one spatial position $i$,

    $$D(f, g) = \frac{1}{|I|} \sum_{i \in I} d(f_i, g_i),$$

    where $I$ runs over the batch and all positions. Gradients reach both images.

    With `weighting="class"` every class of the mask counts the same, however few
    positions it covers. With $p_{ik}$ the share of class $k$ in the area of position
    $i$ and $K$ the classes that occur in the masks,

    $$D(f, g) = \frac{1}{|K|} \sum_{k \in K}
        \frac{\sum_i p_{ik} \, d(f_i, g_i)}{\sum_i p_{ik}}.$$

    Ignored pixels do not count: the weight of a position is the share of its area
    that is not ignored, in $p_{ik}$ too. With nothing left the distance is 0.

    Args:
        distance: `"cosine"`, 1 - cos in [0, 2], as published; `"angular"`, the angle
            over pi in [0, 1]; `"l2"`, the chord of the unit vectors in [0, 2]; `"l1"`,
            the mean absolute difference. All but `"cosine"` keep the triangle
            inequality on which the method's derivation rests.
        channel_dim: Axis of the channels: 1 for maps (batch, channel, height, width),
            -1 for tokens (batch, token, channel) and maps (batch, height, width,
            channel). None chooses by shape, see `channel_axis`.
        weighting: None, every position counts the same; `"class"`, every class does.
        ignore_index: Class id of pixels without a label; with `weighting="class"` they
            belong to no class. Without weighting every position counts.

    Shape:
        - real: (batch, channel, *grid) or (batch, *grid, channel), floating point.
        - synthetic: as `real`.
        - mask: (batch, *size) or (batch, 1, *size), class ids of any integer type, or None.
          For `weighting="class"` tokens must form a grid with the mask's aspect ratio.
        - ignore: as `mask`, bool, True where the synthetic image must not be learnt from, or None.
          Features without a spatial grid (pooled ones, class tokens) count in full.
        - returns: a scalar.

    Raises:
        ConfigError: If `distance` or `weighting` is unknown, or a mask is needed and missing.
        ShapeError: If the two shapes differ, do not fit the mask, or do not tell where the
            channels are.

    Example:
        >>> import torch
        >>> loss = ConsistencyLoss()
        >>> real = torch.tensor([[[[3.0]], [[4.0]]]])  # 1 image, 2 channels, 1 position
        >>> loss(real, 2 * real).item()
        0.0
        >>> loss(real, -real).item()
        2.0

    Reference:
        Pan et al., *S2S2: Semantic Stacking for Robust Semantic Segmentation in
        Medical Imaging*, AAAI 2025, arXiv:2412.13156.
    """

    def __init__(
        self,
        distance: Distance = "cosine",
        channel_dim: int | None = None,
        weighting: Literal["class"] | None = None,
        ignore_index: int = VOID,
    ) -> None:
        super().__init__()
        if distance not in DISTANCES:
            raise ConfigError(f"distance is {distance!r}. Expected one of {', '.join(DISTANCES)}.")
        if weighting not in (None, "class"):
            raise ConfigError(f"weighting is {weighting!r}. Expected None or 'class'.")
        self.distance = distance
        self.channel_dim = channel_dim
        self.weighting = weighting
        self.ignore_index = ignore_index

    def forward(
        self,
        real: Tensor,
        synthetic: Tensor,
        mask: Tensor | None = None,
        ignore: Tensor | None = None,
        *,
        channel_dim: int | None = None,
    ) -> Tensor:
        """Return the mean distance over all positions, or over all classes.

        `channel_dim` names the axis for this call; None leaves it to the loss's own.
        """
        dim = pair_axis(real, synthetic, mask, self.channel_dim if channel_dim is None else channel_dim)
        apart = DISTANCES[self.distance](exact(real), exact(synthetic), dim)
        if ignore is not None:
            ignore = on_grid(ignore, apart).bool()
        if self.weighting is None:
            return apart.mean() if ignore is None else _mean(apart, kept_share(ignore, apart)[None])
        if mask is None:
            raise ConfigError(
                "weighting='class' needs the mask. Call the loss as loss(real, synthetic, mask)."
            )
        shares = class_shares(on_grid(mask, apart), apart, ignore, self.ignore_index).to(apart.dtype)
        if ignore is not None or not len(shares):
            return _mean(apart, shares)
        return ((shares * apart).flatten(1).sum(1) / shares.flatten(1).sum(1)).mean()

    def extra_repr(self) -> str:
        """Return the options, for printing."""
        return f"distance={self.distance!r}, channel_dim={self.channel_dim}, weighting={self.weighting!r}"


def _mean(apart: Tensor, shares: Tensor) -> Tensor:
    """The mean over classes of the weighted mean over positions; 0 where no class has a share."""
    weights = shares.flatten(1).sum(1)
    means = (shares * apart).flatten(1).sum(1) / weights.clamp(min=torch.finfo(apart.dtype).tiny)
    return means.sum() / (weights > 0).sum().clamp(min=1)


def _norm(vectors: Tensor, dim: int) -> Tensor:
    norms: Tensor = torch.linalg.vector_norm(vectors, dim=dim)
    return norms
