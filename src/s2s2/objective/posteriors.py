"""Jensen-Shannon divergence of the class probabilities of two images of one mask."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from s2s2.errors import ShapeError
from s2s2.objective.outputs import named_tensors
from s2s2.objective.rows import exact, kept


class JensenShannon(nn.Module):
    r"""How far the network's posteriors of a real and a synthetic image are apart.

    With the class probabilities $p, q$ of both images at one pixel and their mean $m = (p + q) / 2$,

    $$\mathrm{JS}(p, q) = \tfrac{1}{2} \mathrm{KL}(p \| m) + \tfrac{1}{2} \mathrm{KL}(q \| m),
        \qquad \mathrm{KL}(p \| m) = \sum_k p_k \log \frac{p_k}{m_k},$$

    in nats, from 0 to $\log 2$; the loss is the mean over all pixels. AugMix states it for
    three distributions, the image and two augmentations. Ignored pixels do not count. Pixels without a label
    do: two images may agree where nobody said on what.

    Args:
        stop_gradient: Whether the real image's posterior is a constant: the synthetic image learns from it.

    Shape:
        - real: logits (batch, class, *size), or (batch, 1, *size) of the foreground alone; or a list, dict or
          dataclass of such tensors, over which the mean is taken.
        - synthetic: as `real`.
        - mask: (batch, *size), class ids; tells the number of axes.
        - ignore: as `mask`, bool, or None.
        - returns: a scalar.

    Raises:
        ShapeError: If logits have other axes, or both sides differ.

    Example:
        >>> mask = torch.zeros(1, 1, 1, dtype=torch.long)
        >>> certain = torch.tensor([[[[40.0]], [[-40.0]]]])  # 1 image, 2 classes, 1 pixel
        >>> round(JensenShannon()(certain, -certain, mask).item(), 4)  # log 2
        0.6931

    Reference:
        Hendrycks et al., *AugMix*, ICLR 2020, arXiv:1912.02781, equation 3.
    """

    def __init__(self, stop_gradient: bool = False) -> None:
        super().__init__()
        self.stop_gradient = stop_gradient

    def forward(self, real: Any, synthetic: Any, mask: Tensor, ignore: Tensor | None = None) -> Tensor:
        """Return the mean divergence."""
        ones, others = (dict(named_tensors("logits", side)) for side in (real, synthetic))
        terms = [self._divergence(z, others.get(name), mask, ignore) for name, z in ones.items()]
        return torch.stack(terms).mean()

    def extra_repr(self) -> str:
        """Return the options, for printing."""
        return f"stop_gradient={self.stop_gradient}"

    def _divergence(
        self, real: Tensor, synthetic: Tensor | None, mask: Tensor, ignore: Tensor | None
    ) -> Tensor:
        if synthetic is None or real.shape != synthetic.shape or real.ndim != mask.ndim + 1:
            raise ShapeError(
                f"Logits of the two images have the shapes {tuple(real.shape)} and "
                f"{None if synthetic is None else tuple(synthetic.shape)} for masks of {tuple(mask.shape)}; "
                "expected (batch, class, *size) twice. Take them out of the output by "
                "logits=lambda output: ..., or set alpha_js=0."
            )
        p, q = _log_posterior(real.detach() if self.stop_gradient else real), _log_posterior(synthetic)
        middle = torch.logaddexp(p, q) - math.log(2)
        apart = (p.exp() * (p - middle) + q.exp() * (q - middle)).sum(1) / 2
        if ignore is None:
            return apart.mean()
        weights = kept(ignore, apart)
        return (weights * apart).sum() / weights.sum().clamp(min=torch.finfo(apart.dtype).tiny)


def _log_posterior(logits: Tensor) -> Tensor:
    """Log probabilities (batch, class, *size); a single channel is the foreground's logit."""
    logits = exact(logits)
    if logits.shape[1] == 1:
        logits = torch.cat([torch.zeros_like(logits), logits], dim=1)
    return F.log_softmax(logits, dim=1)
