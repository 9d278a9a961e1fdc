"""Random affine transforms applied alike to an image, its synthetic partner and their mask.

Flip, rotation, scale, shift and crop are drawn once: both images go through one bilinear
resampling, the mask through the same map by the nearest pixel.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from s2s2.core.types import Floats, Image, LabelMap, Region
from s2s2.data.transforms.config import GeometryConfig
from s2s2.data.transforms.opencv import BILINEAR, NEAREST, by_channel, cv2
from s2s2.errors import ConfigError, ShapeError

PADDING = -1
"""Class of a pixel that lies outside the image, until it is 0."""


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
        images = _together(image, synthetic, mask)
        read, places = self._read(mask.shape, self._places(mask, rng))
        labels = self._nearest(mask[read].astype(np.int16), places, PADDING)
        inside = labels != PADDING
        shown = inside.astype(np.float32)
        moved = [self._bilinear(each[:, *read], places, shown) for each in images]
        return Views(
            moved[0],
            None if synthetic is None else moved[1],
            np.maximum(labels, 0).astype(np.uint8),
            inside,
            None if ignore is None else self._nearest(ignore[read].astype(np.uint8), places, 0).astype(bool),
        )

    def _bilinear(self, image: Image, places: Floats, shown: Image) -> Image:
        """Read each pixel of the output at its place in the image; `shown` is 1 where that lies inside."""
        side, framed = (self.side, self.side), places.copy()
        framed[:, 2] += 1

        def read(channel: Image, target: Image) -> None:
            # The last pixel twice: else it would fade into the padding.
            wider = cv2.copyMakeBorder(channel, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
            cv2.warpAffine(wider, framed, side, target, BILINEAR)

        moved = by_channel(read, image, shape=side)
        moved *= shown
        return np.clip(moved, 0, 1, out=moved)

    def _nearest(self, labels: Any, places: Floats, padding: int) -> Any:
        """Return the label of the pixel that is nearest to each place, and `padding` outside."""
        side = (self.side, self.side)
        return cv2.warpAffine(labels, places, side, flags=NEAREST, borderValue=padding)

    def _places(self, mask: LabelMap, rng: np.random.Generator) -> Floats:
        """Draw the map (2, 3) from the indices (x, y) of a pixel of the output to those of the input."""
        turn = self._matrix(rng)
        source, target = self._centres(mask, rng)
        # p_in = turn (p_out - target) + source, where a pixel's centre lies half a pixel behind its index.
        return np.column_stack([turn, turn @ (0.5 - target) + source - 0.5])

    def _read(self, shape: tuple[int, ...], places: Floats) -> tuple[tuple[slice, slice], Floats]:
        """Return the part of an image that is read, and the map to its indices: a patch needs no more."""
        last = self.side - 1
        corners = places @ np.array([[0, last, 0, last], [0, 0, last, last], [1, 1, 1, 1]])
        # One pixel more than is interpolated, on all sides; and never nothing.
        longest = np.array(shape[::-1])
        first = np.clip(np.floor(corners.min(axis=1)) - 1, 0, longest - 1).astype(int)
        behind = np.clip(np.floor(corners.max(axis=1)) + 3, first + 1, longest).astype(int)
        moved = places.copy()
        moved[:, 2] -= first
        return (slice(first[1], behind[1]), slice(first[0], behind[0])), moved

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
