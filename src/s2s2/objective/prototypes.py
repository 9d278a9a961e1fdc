"""Class prototypes: the mean features of a class agree in both images, and differ from other classes'."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from s2s2.errors import ConfigError
from s2s2.objective.pixels import VOID, class_shares, on_grid
from s2s2.objective.rows import last, pair_axis


class Prototypes(nn.Module):
    r"""InfoNCE of the mean features of every class in the real and in the synthetic images.

    With $p_{ik}$, the share of class $k$ in the area of position $i$ of the batch, the
    prototypes of features $f$ (real) and $g$ (synthetic) are the unit vectors

    $$a_k \propto \sum_i p_{ik} f_i, \qquad b_k \propto \sum_i p_{ik} g_i,$$

    and with the temperature $\tau$ and the classes $K$ that occur in the masks

    $$D(f, g) = -\frac{1}{2 |K|} \sum_{k \in K} \left(
        \log \frac{e^{a_k \cdot b_k / \tau}}{\sum_{l \in K} e^{a_k \cdot b_l / \tau}} +
        \log \frac{e^{a_k \cdot b_k / \tau}}{\sum_{l \in K} e^{a_l \cdot b_k / \tau}} \right).$$

    Features that are all alike give $\log |K|$, so the loss cannot be met by making them so.
    Ignored pixels and pixels without a label belong to no class. With fewer than two
    classes the loss is 0. Used in place of `ConsistencyLoss`.

    Args:
        temperature: $\tau$, above 0; a small one looks at the most similar classes alone.
        channel_dim: As in `ConsistencyLoss`.
        ignore_index: Class id of pixels without a label.
        stop_gradient: Whether the real image's features are constants: the synthetic image learns from them.

    Shape:
        - real, synthetic: (batch, channel, *grid) or (batch, *grid, channel), floating point.
        - mask: (batch, *size) or (batch, 1, *size), class ids; needed.
        - ignore: as `mask`, bool, or None.
        - returns: a scalar.

    Raises:
        ConfigError: If `temperature` is not above 0, or the mask is missing.
        ShapeError: As `ConsistencyLoss`.

    Example:
        >>> f = torch.eye(2).view(1, 2, 1, 2)  # 1 image, 2 channels, 2 positions
        >>> mask = torch.tensor([[[0, 1]]])
        >>> round(Prototypes(temperature=1.0)(f, f, mask).item(), 4)  # log(1 + 1 / e)
        0.3133

    Reference:
        InfoNCE: van den Oord et al., *Representation Learning with Contrastive Predictive
        Coding*, 2018, arXiv:1807.03748. Class means as prototypes: Snell et al., *Prototypical
        Networks for Few-shot Learning*, NeurIPS 2017, arXiv:1703.05175.
    """

    def __init__(
        self,
        temperature: float = 0.1,
        channel_dim: int | None = None,
        ignore_index: int = VOID,
        stop_gradient: bool = False,
    ) -> None:
        super().__init__()
        if not 0 < temperature < math.inf:
            raise ConfigError(f"temperature is {temperature}. Expected a finite number above 0.")
        self.temperature = temperature
        self.channel_dim = channel_dim
        self.ignore_index = ignore_index
        self.stop_gradient = stop_gradient

    def forward(
        self,
        real: Tensor,
        synthetic: Tensor,
        mask: Tensor | None = None,
        ignore: Tensor | None = None,
        *,
        channel_dim: int | None = None,
    ) -> Tensor:
        """Return the loss; `channel_dim` names the axis for this call."""
        if mask is None:
            raise ConfigError("Prototypes need the mask. Call the loss as loss(real, synthetic, mask).")
        dim = pair_axis(real, synthetic, mask, self.channel_dim if channel_dim is None else channel_dim)
        f, g = last(real.detach() if self.stop_gradient else real, dim), last(synthetic, dim)
        grid = f[..., 0].detach()
        ignore = None if ignore is None else on_grid(ignore, grid).bool()
        shares = class_shares(on_grid(mask, grid), grid, ignore, self.ignore_index).to(grid.dtype).flatten(1)
        shares = shares[shares.sum(1) > 0]
        # Mixed precision would sum in half.
        with torch.autocast(grid.device.type, enabled=False):
            a, b = (F.normalize(shares @ view.flatten(0, -2), dim=1) for view in (f, g))
            similar = a @ b.T / self.temperature
        if not len(shares):
            return a.sum() + b.sum()
        own = torch.arange(len(a), device=a.device)
        return (F.cross_entropy(similar, own) + F.cross_entropy(similar.T, own)) / 2

    def extra_repr(self) -> str:
        """Return the options, for printing."""
        return (
            f"temperature={self.temperature}, channel_dim={self.channel_dim}, "
            f"stop_gradient={self.stop_gradient}"
        )
