"""Image features: perceptual distance by the ImageNet encoder, and means of a segmenter's features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from s2s2.core.types import Floats, Image, LabelMap, Vectors
from s2s2.data.grid import padded_side
from s2s2.networks.normalisation import default_normalisation
from s2s2.networks.unet import Encoder

GRID = 8
"""Positions along a side at which the features of a stage are compared, at most."""
_LEAST_SIDE = 64


class Seen(NamedTuple):
    """Features of some images.

    Args:
        descriptor: Shape (n, entries); the Euclidean distance of two rows is the distance of
            two images, in [0, 2].
        pooled: Shape (n, 320); the mean of the last stage over all positions.
    """

    descriptor: Vectors
    pooled: Vectors


class Features:
    r"""Descriptors by the EfficientNet-Lite0 encoder with its ImageNet weights.

    Images are brought to one square. With the features $f_l$ of the $L = 5$ stages scaled to
    unit length over the channels at every position and averaged over a grid of at most
    $8 \times 8$ positions, the distance of two images is

    $$d(a, b)^2 = \frac1L \sum_l \operatorname{mean}_{p} \lVert \hat f_l^p(a) - \hat f_l^p(b) \rVert^2,$$

    LPIPS without its learnt weights: it compares content position by position, and changes
    little with light or compression.

    Args:
        channels: Of the images.
        size: Longer side in pixels that the images are resized to, at least 64.
        batch: Images that go through the encoder at once.

    Reference:
        Zhang et al., *The unreasonable effectiveness of deep features as a perceptual
        metric*, CVPR 2018, arXiv:1801.03924.
    """

    def __init__(self, channels: int, size: int, batch: int) -> None:
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._encoder = Encoder(channels, pretrained=True).eval().to(self._device)
        self._encoder.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._normalisation = default_normalisation(channels)
        self._side = padded_side(max(size, _LEAST_SIDE))
        self._batch = batch

    def __call__(self, images: Image) -> Seen:
        """Return the features of images of one shape.

        Shape:
            - images: (n, channel, height, width), in [0, 1].
        """
        parts = [
            self._see(images[start : start + self._batch]) for start in range(0, len(images), self._batch)
        ]
        return Seen(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))

    @torch.inference_mode()
    def _see(self, images: Image) -> Seen:
        batch = torch.from_numpy(np.ascontiguousarray(images)).to(self._device)
        square = (self._side, self._side)
        if batch.shape[2:] != square:
            batch = functional.interpolate(
                batch, square, mode="bilinear", antialias=True, align_corners=False
            )
        batch = self._normalisation(batch.clamp(0, 1)).contiguous(memory_format=torch.channels_last)
        stages = self._encoder(batch)
        descriptor = torch.cat([_entries(stage) for stage in stages], 1) / len(stages) ** 0.5
        return Seen(descriptor.cpu().numpy(), stages[-1].mean((2, 3)).cpu().numpy())


def _entries(stage: Tensor) -> Tensor:
    """Return (n, entries) of a stage, whose squared distances are means over positions."""
    unit = functional.normalize(stage, dim=1)
    side = min(GRID, stage.shape[-1])
    return functional.adaptive_avg_pool2d(unit, side).flatten(1) / side


def distances(left: Vectors, right: Vectors) -> Floats:
    """Return the Euclidean distance of every row of `left` to every row of `right`.

    Shape:
        - left: (n, entries).
        - right: (m, entries).
        - returns: (n, m).

    Example:
        >>> distances(np.array([[0.0, 0.0]], np.float32), np.array([[3.0, 4.0]], np.float32)).tolist()
        [[5.0]]
    """
    squares = (left**2).sum(1)[:, None] + (right**2).sum(1) - 2 * (left @ right.T)
    # Rounding leaves a few 1e-7 of equal rows; small distances are what shows a copy.
    roots = np.sqrt(np.maximum(squares.astype(np.float64), 0))
    near = np.argwhere(roots < 0.05)
    for row, column in near:
        roots[row, column] = np.linalg.norm(left[row].astype(np.float64) - right[column])
    return np.asarray(roots)


def masked_mean(tapped: Mapping[str, Tensor], mask: LabelMap, images: int) -> Vectors:
    """Return the features that the consistency loss compares, as one vector for each image.

    It is the mean of each tapped tensor over the foreground, scaled to unit length, joined.
    Length does not count for the cosine distance, so it does not count here. Where the mask has no
    foreground, or the features lie on no grid, the mean goes over all positions.

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
    parts = [functional.normalize(_weighted_mean(tensor, foreground), dim=1) for tensor in tapped.values()]
    joined: Vectors = (torch.cat(parts, 1) / len(parts) ** 0.5).cpu().numpy()
    return joined


def _weighted_mean(features: Tensor, foreground: Tensor) -> Tensor:
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
