"""Where a network looks: the smoothed gradient of its loss, and two views of an image fused by it."""

from __future__ import annotations

import torch
from torch import Tensor

from s2s2.errors import ConfigError
from s2s2.objective.rows import exact

ROUNDING = 1e-5
"""A smoothed gradient that varies by less than this share is constant but for rounding."""


def saliency(gradient: Tensor, grid: int) -> Tensor:
    r"""Return where the gradient of a loss with respect to its image is large, smooth and from 0 to 1.

    The norm over the channels is averaged in `grid` cells along each axis. These are the
    control points, each in the middle of its cell, of a quadratic B-spline:

    $$s(u) = \sum_j c_j \, \beta(u - j), \qquad
        \beta(t) = \begin{cases} \tfrac34 - t^2 & |t| \le \tfrac12 \\
        \tfrac12 (\tfrac32 - |t|)^2 & \tfrac12 < |t| \le \tfrac32 \\ 0 & \text{else} \end{cases}$$

    along each axis, where the cells at the border go on outwards. The result is scaled to
    [0, 1] for each image; where it is constant, or not finite, it is 1.

    Args:
        gradient: Of the loss.
        grid: Cells along each axis.

    Shape:
        - gradient: (batch, channel, *size).
        - returns: (batch, 1, *size).

    Raises:
        ConfigError: If there are no cells.

    Example:
        >>> gradient = torch.zeros(1, 3, 4, 1)
        >>> gradient[:, :, :2] = 1.0
        >>> [round(value, 2) for value in saliency(gradient, grid=2).flatten().tolist()]
        [1.0, 0.73, 0.27, 0.0]

    Reference:
        Su et al., *Rethinking data augmentation for single-source domain generalization in
        medical image segmentation* (SLAug), AAAI 2023, arXiv:2211.14805.
    """
    if grid < 1:
        raise ConfigError(f"grid is {grid}. Expected a number of cells, at least 1.")
    smooth = torch.linalg.vector_norm(exact(gradient), dim=1, keepdim=True)
    with torch.autocast(smooth.device.type, enabled=False):
        for axis, length in enumerate(smooth.shape[2:], start=2):
            smoothing = _spline(length, grid, smooth) @ _means(length, grid, smooth)
            smooth = (smooth.movedim(axis, -1) @ smoothing.T).movedim(-1, axis)
    low, high = (end.view(-1, *[1] * (smooth.ndim - 1)) for end in smooth.flatten(1).aminmax(dim=1))
    varied = high - low > ROUNDING * high  # false where one of them is not finite
    return torch.where(varied, (smooth - low) / (high - low), 1.0)


def fuse(image: Tensor, local: Tensor, weight: Tensor) -> Tensor:
    """Return `weight` of an image and the rest of its local view, without gradient.

    Shape:
        - image, local: (batch, channel, *size).
        - weight: (batch, 1, *size), in [0, 1].
        - returns: as `image`.
    """
    return torch.lerp(local, image, weight.to(image.dtype)).detach()


def _means(length: int, grid: int, like: Tensor) -> Tensor:
    """Return the matrix (grid, length) that averages pixels over cells, shares of a pixel counted."""
    edges = torch.arange(grid + 1, dtype=like.dtype, device=like.device) * (length / grid)
    pixels = torch.arange(length, dtype=like.dtype, device=like.device)
    shared = torch.minimum(pixels + 1, edges[1:, None]) - torch.maximum(pixels, edges[:-1, None])
    return shared.clamp(min=0) * (grid / length)


def _spline(length: int, grid: int, like: Tensor) -> Tensor:
    """Return the matrix (length, grid) of the B-spline's weights at the middles of the pixels."""
    places = (torch.arange(length, dtype=like.dtype, device=like.device) + 0.5) * (grid / length) - 0.5
    away = (places[:, None] - torch.arange(-1, grid + 1, dtype=like.dtype, device=like.device)).abs()
    weights = torch.where(away <= 0.5, 0.75 - away.square(), 0.5 * (1.5 - away).clamp(min=0).square())
    weights[:, 1] += weights[:, 0]
    weights[:, -2] += weights[:, -1]
    return weights[:, 1:-1]
