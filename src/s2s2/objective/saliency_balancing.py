"""Saliency-balancing fusion: two views of the real image, fused by where the network looks."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from s2s2.errors import ConfigError, ShapeError
from s2s2.objective.saliency import fuse, saliency
from s2s2.objective.semantic_stacking import SemanticStacking
from s2s2.objective.terms import Terms
from s2s2.objective.views import Network

SCALE = 2.0**16
"""Factor of the loss whose gradient is taken: in half precision that of a mean over pixels underflows."""


class SaliencyBalancing(nn.Module):
    r"""The loss of SLAug, alone or with semantic stacking on top of it.

    With the global view $g$ and the local view $l$ of one real image of mask $y$, the
    saliency $s$ of the gradient $\partial L_{seg}(g, y) / \partial g$ (see `saliency`), and the
    loss of semantic stacking $L$ with $f$ in the place of the real image,

    $$f = s \, g + (1 - s) \, l, \qquad
        L_{seg}(g, y) + L(f, x_1, y), \qquad
        L = L_{seg}(f, y) + w_{syn} \, L_{seg}(x_1, y) + \alpha_{enc} \, D(e_f, e_1) + \dots$$

    $f$ carries no gradient. Where the weights of the stacking are all 0 no synthetic image is
    needed, and this is SLAug. A step is two passes, over $g$ and over $f$ with $x_1$, one
    `backward()` by the caller, and before it one through the first pass to the image alone.

    Args:
        stacking: Loss of the fused and the synthetic image; its segmentation loss is taken for $g$ too.
        grid: Cells along each axis that the gradient is averaged in.

    Shape:
        - image, local: (batch, channel, *size), the global and the local view.
        - synthetic: as `image`, or None where the stacking takes none.
        - mask, ignore: as in `SemanticStacking`.
        - returns: a scalar.

    Raises:
        ConfigError: If `grid` is below 1, or as in `SemanticStacking`.
        ShapeError: If the two views differ in shape, or as in `SemanticStacking`.

    Example:
        >>> network = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 2, 1))
        >>> stacking = SemanticStacking(nn.CrossEntropyLoss(), encoder=["0"], alpha_enc=0.1, w_syn=0.1)
        >>> objective = SaliencyBalancing(stacking, grid=3)
        >>> image, local, synthetic = torch.rand(3, 4, 3, 16, 16)
        >>> mask = torch.randint(2, (4, 16, 16))
        >>> objective(network, image, local, synthetic, mask).backward()

    Reference:
        Su et al., *Rethinking data augmentation for single-source domain generalization in
        medical image segmentation* (SLAug), AAAI 2023, arXiv:2211.14805.
    """

    def __init__(self, stacking: SemanticStacking, grid: int = 18) -> None:
        super().__init__()
        if grid < 1:
            raise ConfigError(f"grid is {grid}. Expected a number of cells, at least 1.")
        self.stacking = stacking
        self.grid = grid

    def forward(
        self,
        network: Network,
        image: Tensor,
        local: Tensor,
        synthetic: Tensor | None,
        mask: Tensor,
        ignore: Tensor | None = None,
    ) -> Tensor:
        """Return the total loss. See the class."""
        return self.terms(network, image, local, synthetic, mask, ignore).total

    def terms(
        self,
        network: Network,
        image: Tensor,
        local: Tensor,
        synthetic: Tensor | None,
        mask: Tensor,
        ignore: Tensor | None = None,
        *,
        collapse: bool = False,
    ) -> Terms:
        """Return the total loss and every term of it; `segmentation` and `logits` are of the global view."""
        if local.shape != image.shape:
            raise ShapeError(
                f"The two views of an image must have one shape, got {tuple(image.shape)} and "
                f"{tuple(local.shape)}. Give both the same geometry."
            )
        seen = image.detach().requires_grad_()
        first = self.stacking.alone(network, seen, mask)
        scale = torch.full_like(first.total, SCALE)
        (gradient,) = torch.autograd.grad(first.total, seen, scale, retain_graph=True)
        fused = fuse(image, local, saliency(gradient, self.grid))
        rest = self.stacking.terms(network, fused, synthetic, mask, ignore, collapse=collapse)
        terms = rest._replace(
            total=first.total + rest.total, segmentation=first.segmentation, fused=rest.segmentation
        ).with_logits(first.logits, rest.synthetic_logits)
        terms.collapse = rest.collapse
        return terms

    def close(self) -> None:
        """Take the taps off every network, as `SemanticStacking.close`."""
        self.stacking.close()

    def extra_repr(self) -> str:
        """Return the options, for printing."""
        return f"grid={self.grid}"
