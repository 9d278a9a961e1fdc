"""The features that the consistency loss compares, as one vector an image."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional


def masked_mean(
    tapped: Mapping[str, Tensor], mask: npt.NDArray[np.uint8], images: int
) -> npt.NDArray[np.float32]:
    """Return the mean of each tapped tensor over the foreground, scaled to unit length, joined.

    Length does not count for the cosine distance, so it does not count here. Where the mask has no
    foreground, or the features lie on no grid, the mean goes over all places.

    Args:
        tapped: Features (n, channel, height, width) or (n, token, channel) by name.
        mask: Class ids on the padded grid that the network saw, (height, width).
        images: The n.

    Shape:
        - returns: (n, entries); of unit length over all, or no entries.
    """
    if not tapped:
        return np.empty((images, 0), np.float32)
    foreground = torch.from_numpy((mask > 0).astype(np.float32))[None, None]
    parts = [functional.normalize(_mean(tensor, foreground), dim=1) for tensor in tapped.values()]
    joined: npt.NDArray[np.float32] = (torch.cat(parts, 1) / len(parts) ** 0.5).cpu().numpy()
    return joined


def _mean(features: Tensor, foreground: Tensor) -> Tensor:
    """Return (n, channel)."""
    features = features.detach().float()
    if features.ndim == 3:
        return features.mean(1)
    if features.ndim != 4:
        return features.flatten(1)
    weights = functional.adaptive_avg_pool2d(
        foreground.to(features.device), (features.shape[2], features.shape[3])
    )
    if not bool(weights.any()):
        return features.mean((2, 3))
    return (features * weights).sum((2, 3)) / weights.sum()
