"""Standardised features: every channel counts alike in the distance, and what all images share does not."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor, nn

from s2s2.errors import ConfigError, ShapeError
from s2s2.objective.consistency import ConsistencyLoss
from s2s2.objective.prototypes import Prototypes
from s2s2.objective.rows import kept, last, pair_axis

EPSILON = 1e-5
"""Added to the variance, as in batch normalisation."""


class Standardised(nn.Module):
    r"""A distance of features whose channels are standardised first.

    Features share a large common component, so that the cosine distance of any two is
    near 0. With the mean $\mu_c$ and the variance $s_c^2$ of channel $c$ over both
    images, the batch and all positions, the distance is that of

    $$\tilde f_{c} = \frac{f_{c} - \mu_c}{\sqrt{s_c^2 + \varepsilon}}.$$

    $\mu$ and $s^2$ are running statistics, as in batch normalisation, one pair for each tap and
    without gradient: a network cannot make its features alike by way of them. The
    first step sets them; every later one in training mode moves them by `momentum`. Steps
    without gradients do not. Ignored pixels do not count. Several processes keep
    statistics of their own.

    A network can also make features alike by telling each position alone, as it sees by
    the padding of the border; batch normalisation does not hinder it. With `per="position"`
    $\mu_{ci}$ and $s_{ci}^2$ of every position $i$ are taken, over both images and the batch,
    so that what a position always has does not count. All images must then have one size.

    Args:
        distance: Of the standardised features.
        momentum: Share of a step in the running statistics, above 0 and at most 1.
        per: `"channel"`, one mean and variance a channel; `"position"`, one a channel and position.

    Shape:
        As `ConsistencyLoss`.

    Raises:
        ConfigError: If `momentum` is out of range, or `per` is unknown.
        ShapeError: As `distance`, or if features of other sizes come after the first.

    Example:
        >>> loss = Standardised(ConsistencyLoss("cosine"))
        >>> f = 100 + torch.tensor([[[[1.0, -1.0]], [[-1.0, 1.0]]]])  # 1 image, 2 channels, 2 positions
        >>> g = 100 + torch.tensor([[[[-1.0, 1.0]], [[1.0, -1.0]]]])
        >>> round(ConsistencyLoss("cosine")(f, g).item(), 3), round(loss(f, g).item(), 3)
        (0.0, 2.0)

    Reference:
        Statistics as in Ioffe and Szegedy, *Batch Normalization*, ICML 2015, arXiv:1502.03167.
    """

    def __init__(
        self,
        distance: ConsistencyLoss | Prototypes,
        momentum: float = 0.1,
        per: Literal["channel", "position"] = "channel",
    ) -> None:
        super().__init__()
        if not 0 < momentum <= 1:
            raise ConfigError(f"momentum is {momentum}. Expected a number above 0 and at most 1.")
        if per not in ("channel", "position"):
            raise ConfigError(f"per is {per!r}. Expected 'channel' or 'position'.")
        self.distance = distance
        self.per = per
        self.momentum = momentum
        self._moments: dict[str, tuple[Tensor, Tensor]] = {}

    @property
    def channel_dim(self) -> int | None:
        """Axis of the channels that the distance was given."""
        return self.distance.channel_dim

    def forward(
        self,
        real: Tensor,
        synthetic: Tensor,
        mask: Tensor | None = None,
        ignore: Tensor | None = None,
        *,
        channel_dim: int | None = None,
        tap: str = "",
    ) -> Tensor:
        """Return the distance of the standardised features.

        `channel_dim` names the axis for this call; `tap` names whose statistics are meant.
        """
        dim = pair_axis(real, synthetic, mask, self.channel_dim if channel_dim is None else channel_dim)
        if (self.training and torch.is_grad_enabled()) or tap not in self._moments:
            self._note(tap, real.detach(), synthetic.detach(), dim, ignore)
        views = (self.standardised(feature, dim, tap) for feature in (real, synthetic))
        result: Tensor = self.distance(*views, mask, ignore, channel_dim=dim)
        return result

    def standardised(self, feature: Tensor, dim: int, tap: str = "") -> Tensor:
        """Return a feature by the running statistics of a tap, which must have been seen before."""
        mean, variance = (moment.to(feature.device) for moment in self._moments[tap])
        rows = last(feature, dim)
        if mean.shape != rows.shape[-mean.ndim :]:
            raise ShapeError(
                f"Statistics of {tap or 'the features'} are of shape {tuple(mean.shape)}, with the channels "
                f"last, and the features have {tuple(rows.shape)}. Give images of one size, or take "
                "per='channel'."
            )
        return ((rows - mean) * (variance + EPSILON).rsqrt()).movedim(-1, dim)

    def get_extra_state(self) -> dict[str, list[Tensor]]:
        """Return the statistics by tap, part of the `state_dict`."""
        return {tap: list(moments) for tap, moments in self._moments.items()}

    def set_extra_state(self, state: Any) -> None:
        """Go on with the statistics of a `state_dict`."""
        self._moments = {tap: (mean, variance) for tap, (mean, variance) in state.items()}

    def extra_repr(self) -> str:
        """Return the options, for printing."""
        return f"momentum={self.momentum}, per={self.per!r}"

    @torch.no_grad()
    def _note(self, tap: str, real: Tensor, synthetic: Tensor, dim: int, ignore: Tensor | None) -> None:
        rows = torch.cat([last(real, dim), last(synthetic, dim)])
        weights = kept(ignore, rows[: len(real), ..., 0]).unsqueeze(-1).repeat(2, *[1] * (rows.ndim - 1))
        axes = (0,) if self.per == "position" else tuple(range(rows.ndim - 1))
        total = weights.sum(axes)
        # Where everything is ignored there is nothing to note.
        counted = total.clamp(min=torch.finfo(rows.dtype).tiny)
        mean = (weights * rows).sum(axes) / counted
        variance = (weights * (rows - mean).square()).sum(axes) / counted
        old = [moment.to(mean.device) for moment in self._moments.get(tap, (mean, variance))]
        if old[0].shape != mean.shape:
            return  # refused where it is used
        share = self.momentum * (total > 0)
        mean, variance = (o + share * (n - o) for o, n in zip(old, (mean, variance), strict=True))
        self._moments[tap] = (mean, variance)
