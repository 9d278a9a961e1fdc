"""Random affine transforms applied alike to an image, its synthetic partner and their mask.

Flip, rotation, scale, shift and crop are drawn once: both images go through one bilinear
resampling, the mask through the same map by the nearest pixel.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional

from s2s2.core.types import Floats, Image, LabelMap, Region, Vectors
from s2s2.data.transforms.config import GeometryConfig
from s2s2.errors import ConfigError, ShapeError


class Views(NamedTuple):
    """What `PairedGeometry` returns: both images, the mask, where they are not padding and what to ignore."""

    image: Image
    synthetic: Image | None
    mask: LabelMap
    inside: Region
    ignore: Region | None = None


class PairedGeometry:
    """One random flip, rotation, scale, shift and crop for image, synthetic and mask.

    An image that fits into `side` stays at the top left, as at prediction, and
    the rest is 0. An image that is longer than `side` is cropped at random; with
    probability `config.foreground` the crop is centred near a foreground pixel.

    Args:
        side: Height and width of what is returned, in pixels.
        config: Ranges to draw from.

    Example:
        >>> from s2s2.data.transforms.config import UNCHANGED
        >>> image, mask = np.ones((3, 4, 6), np.float32), np.ones((4, 6), np.uint8)
        >>> views = PairedGeometry(8, UNCHANGED)(image, None, mask, np.random.default_rng(0))
        >>> views.image.shape, int(views.mask.sum()), int(views.inside.sum())
        ((3, 8, 8), 24, 24)
    """

    def __init__(self, side: int, config: GeometryConfig | None = None) -> None:
        if side < 1:
            raise ConfigError(
                f"side must be at least 1 px, got {side}. Give the padded side of the working grid."
            )
        self.side = side
        self.config = config or GeometryConfig()

    def __call__(
        self,
        image: Image,
        synthetic: Image | None,
        mask: LabelMap,
        rng: np.random.Generator,
        ignore: Region | None = None,
    ) -> Views:
        """Draw once and apply to all.

        Args:
            image: Real image, values in [0, 1].
            synthetic: Second image of the same mask, or None.
            mask: Class ids.
            rng: Stream that everything is drawn from.
            ignore: Pixels that are not to be learnt from, or None.

        Shape:
            - image, synthetic: (channel, height, width), one shape.
            - mask, ignore: (height, width).
            - returns: (channel, side, side) for images, (side, side) for all others.

        Raises:
            ShapeError: If image, synthetic and mask do not lie on one grid.
        """
        channels = image.shape[0]
        stacked = torch.from_numpy(np.concatenate(_together(image, synthetic, mask)))[None]
        maps = [mask] if ignore is None else [mask, ignore]
        labels = torch.from_numpy(np.stack(maps).astype(np.float32))[None]
        positions = self._positions(mask, rng)
        grid = torch.from_numpy(positions)[None]
        inside = (np.abs(positions[..., 0]) <= 1) & (np.abs(positions[..., 1]) <= 1)
        # "border" and the product with `inside` end the image sharply, as padding does.
        images = functional.grid_sample(stacked, grid, "bilinear", "border", align_corners=False)[0].numpy()
        images *= inside.astype(np.float32)
        torch.from_numpy(images).clamp_(0, 1)
        labels = functional.grid_sample(labels, grid, "nearest", "zeros", align_corners=False)
        return Views(
            images[:channels],
            None if synthetic is None else images[channels:],
            labels[0, 0].to(torch.uint8).numpy(),
            inside,
            None if ignore is None else labels[0, 1].to(torch.bool).numpy(),
        )

    def _positions(self, mask: LabelMap, rng: np.random.Generator) -> Vectors:
        """Return the (x, y) where each pixel of the output is read, in [-1, 1] of the input."""
        turn = self._matrix(rng)
        source, target = self._centres(mask, rng)
        lengths = np.array(mask.shape[::-1], dtype=np.float64)
        # p_in = turn (p_out - target) + source, in pixels; then from [0, length] to [-1, 1].
        ticks = (np.arange(self.side) + 0.5)[:, None] - target
        steps = (ticks[:, :, None] * turn.T * (2 / lengths)).astype(np.float32)
        origin = (2 * source / lengths - 1).astype(np.float32)
        # x + iy as one complex number: an inner axis of two would take ten times as long.
        down = (steps[:, 1] + origin).view(np.complex64)
        across = steps[:, 0].copy().view(np.complex64)
        return (down + across.T).view(np.float32).reshape(self.side, self.side, 2)

    def _matrix(self, rng: np.random.Generator) -> Floats:
        """Draw the map from output to input offsets, axes in the order x, y."""
        config = self.config
        angle = math.radians(rng.uniform(*config.rotation_degrees))
        scale = math.exp(rng.uniform(math.log(config.scale[0]), math.log(config.scale[1])))
        flips = rng.random(2) < (config.flip_horizontal, config.flip_vertical)
        cosine, sine = math.cos(angle), math.sin(angle)
        return np.array([[cosine, sine], [-sine, cosine]]) * np.where(flips, -1.0, 1.0) / scale

    def _centres(self, mask: LabelMap, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Draw the point of the input that comes to a point of the output, order x, y."""
        lengths = np.array(mask.shape[::-1], dtype=np.float64)
        shift = rng.uniform(*self.config.shift, size=2) * lengths.max()
        cropped = lengths > self.side
        if not cropped.any():
            return lengths / 2 + shift, lengths / 2
        point = rng.uniform(0, 1, 2) * lengths
        foreground = np.flatnonzero(mask)
        if len(foreground) and rng.random() < self.config.foreground:
            row, column = np.divmod(rng.choice(foreground), mask.shape[1])
            point = np.array([column, row]) + 0.5 + rng.uniform(-0.25, 0.25, 2) * self.side
        point = np.clip(point, self.side / 2, np.maximum(lengths - self.side / 2, self.side / 2))
        return np.where(cropped, point, lengths / 2 + shift), np.where(cropped, self.side / 2, lengths / 2)


def _together(image: Image, synthetic: Image | None, mask: LabelMap) -> list[Image]:
    """Return the images that are resampled together, once their shapes are checked."""
    if image.ndim != 3 or image.shape[1:] != mask.shape:
        raise ShapeError(
            f"An image of shape {image.shape} and a mask of shape {mask.shape} do not lie on one grid. "
            f"Give (channel, height, width) and (height, width) with one height and width."
        )
    if synthetic is None:
        return [image]
    if synthetic.shape != image.shape:
        raise ShapeError(
            f"Image and synthetic must have one shape, got {image.shape} and {synthetic.shape}. "
            f"Build the stack at the size and with the channels of the data set."
        )
    return [image, synthetic]
