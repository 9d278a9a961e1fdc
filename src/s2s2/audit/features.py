"""What the embedded encoder, which knows natural images, sees in an image."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from s2s2.core.types import Floats, Image, Vectors
from s2s2.data.grid import padded_side
from s2s2.networks.normalisation import default_normalisation
from s2s2.networks.unet import Encoder

GRID = 8
"""Places a side at which the features of a stage are compared at most."""
_LEAST_SIDE = 64


class Seen(NamedTuple):
    """Features of some images.

    Args:
        descriptor: Shape (n, entries); the Euclidean distance of two rows is the distance of
            two images, in [0, 2].
        pooled: Shape (n, 320); the mean of the last stage over all places.
    """

    descriptor: Vectors
    pooled: Vectors


class Features:
    r"""Descriptors by the EfficientNet-Lite0 encoder with its ImageNet weights.

    Images are brought to one square. With the features $f_l$ of the $L = 5$ stages scaled to
    unit length over the channels at every place and averaged over a grid of at most
    $8 \times 8$ places, the distance of two images is

    $$d(a, b)^2 = \frac1L \sum_l \operatorname{mean}_{p} \lVert \hat f_l^p(a) - \hat f_l^p(b) \rVert^2,$$

    LPIPS without its learnt weights: it compares what is seen where, and is little moved by
    light or compression.

    Args:
        channels: Of the images.
        size: Longer side in pixels that the images are looked at with, at least 64.
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
    """Return (n, entries) of a stage, whose squared distances are means over places."""
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
    # Rounding leaves a few 1e-7 of equal rows; small distances are what copies are told by.
    roots = np.sqrt(np.maximum(squares.astype(np.float64), 0))
    near = np.argwhere(roots < 0.05)
    for row, column in near:
        roots[row, column] = np.linalg.norm(left[row].astype(np.float64) - right[column])
    return np.asarray(roots)
