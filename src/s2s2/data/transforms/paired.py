"""What is done to an image, its second view and its mask together.

Geometry is drawn once and shared: both images go through one bilinear
resampling, the mask through the same map by the nearest pixel. Photometric
changes are drawn for each view on its own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from s2s2.core.ranges import Range, check_range
from s2s2.core.types import Floats, Image, Region
from s2s2.errors import ConfigError, ShapeError


@dataclass(frozen=True)
class GeometryConfig:
    """Ranges of the shared geometry; equal ends switch an ingredient off.

    Args:
        flip_horizontal: Probability of a left-right flip, 0 to 1.
        flip_vertical: Probability of an up-down flip, 0 to 1.
        rotation_degrees: Range of the rotation about the image's centre, -180 to 180.
        scale: Range of the magnification, 0.1 to 10; drawn evenly in its logarithm.
        shift: Range of the shift of each axis, as a share of the longer side, -1 to 1.
        foreground: Probability that a patch is centred on the foreground, 0 to 1.

    Raises:
        ConfigError: If a range or probability cannot be used.
    """

    flip_horizontal: float = 0.5
    flip_vertical: float = 0.5
    rotation_degrees: Range = (-30.0, 30.0)
    scale: Range = (0.8, 1.25)
    shift: Range = (-0.1, 0.1)
    foreground: float = 0.5

    def __post_init__(self) -> None:
        for name in ("flip_horizontal", "flip_vertical", "foreground"):
            probability = getattr(self, name)
            check_range("GeometryConfig", name, (probability, probability), 0, 1)
        check_range("GeometryConfig", "rotation_degrees", self.rotation_degrees, -180, 180)
        check_range("GeometryConfig", "scale", self.scale, 0.1, 10)
        check_range("GeometryConfig", "shift", self.shift, -1, 1)


UNCHANGED = GeometryConfig(0.0, 0.0, (0.0, 0.0), (1.0, 1.0), (0.0, 0.0), 0.0)
"""The geometry that only pads, for validation and for looking at a stack."""


class Views(NamedTuple):
    """What `PairedGeometry` returns: both images, the mask, where they are not padding and what to ignore."""

    image: Image
    synthetic: Image | None
    mask: npt.NDArray[np.uint8]
    inside: Region
    ignore: Region | None = None


class PairedGeometry:
    """One random flip, rotation, scale, shift and crop for image, synthetic and mask.

    An image that fits into `side` keeps its place at the top left, as at
    prediction, and the rest is 0. An image that is longer than `side` is
    cropped at random; with probability `config.foreground` the crop is centred
    near a foreground pixel.

    Args:
        side: Height and width of what is returned, in pixels.
        config: Ranges to draw from.

    Example:
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
        mask: npt.NDArray[np.uint8],
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
        places = self._places(mask, rng)
        grid = torch.from_numpy(np.stack(places, axis=-1))[None]
        inside = (np.abs(places[0]) <= 1) & (np.abs(places[1]) <= 1)
        # "border" and the product with `inside` end the image sharply, as padding does.
        images = functional.grid_sample(stacked, grid, "bilinear", "border", align_corners=False)[0].numpy()
        images *= inside
        np.clip(images, 0, 1, out=images)
        labels = functional.grid_sample(labels, grid, "nearest", "zeros", align_corners=False)
        return Views(
            images[:channels],
            None if synthetic is None else images[channels:],
            labels[0, 0].to(torch.uint8).numpy(),
            inside,
            None if ignore is None else labels[0, 1].to(torch.bool).numpy(),
        )

    def _places(
        self, mask: npt.NDArray[np.uint8], rng: np.random.Generator
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Return the x and the y where each pixel of the output is read, in [-1, 1] of the input."""
        turn = self._matrix(rng)
        source, target = self._centres(mask, rng)
        lengths = np.array(mask.shape[::-1], dtype=np.float64)
        # p_in = turn (p_out - target) + source, in pixels; then from [0, length] to [-1, 1].
        ticks = (np.arange(self.side) + 0.5)[:, None] - target
        steps = (ticks[:, :, None] * turn.T * (2 / lengths)).astype(np.float32)
        origin = (2 * source / lengths - 1).astype(np.float32)
        return (
            steps[None, :, 0, 0] + (steps[:, None, 1, 0] + origin[0]),
            steps[None, :, 0, 1] + (steps[:, None, 1, 1] + origin[1]),
        )

    def _matrix(self, rng: np.random.Generator) -> Floats:
        """Draw the map from output to input offsets, axes in the order x, y."""
        config = self.config
        angle = math.radians(rng.uniform(*config.rotation_degrees))
        scale = math.exp(rng.uniform(math.log(config.scale[0]), math.log(config.scale[1])))
        flips = rng.random(2) < (config.flip_horizontal, config.flip_vertical)
        cosine, sine = math.cos(angle), math.sin(angle)
        return np.array([[cosine, sine], [-sine, cosine]]) * np.where(flips, -1.0, 1.0) / scale

    def _centres(self, mask: npt.NDArray[np.uint8], rng: np.random.Generator) -> tuple[Floats, Floats]:
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


def _together(image: Image, synthetic: Image | None, mask: npt.NDArray[np.uint8]) -> list[Image]:
    """Return the images that are resampled together, after a look at their shapes."""
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


@dataclass(frozen=True)
class PhotometricConfig:
    """Ranges of the light and colour of one view; equal ends switch one off.

    Args:
        brightness: Range of what is added, -1 to 1.
        contrast: Range of the factor about the image's mean, 0 to 10.
        gamma: Range of the exponent, 0.1 to 10; drawn evenly in its logarithm.
        saturation: Range of the factor about each pixel's grey, 0 to 10 (3 channels only).
        hue_degrees: Range of the rotation about the grey axis, -180 to 180 (3 channels only).

    Raises:
        ConfigError: If a range cannot be used.
    """

    brightness: Range = (-0.1, 0.1)
    contrast: Range = (0.75, 1.3)
    gamma: Range = (0.75, 1.3)
    saturation: Range = (0.6, 1.4)
    hue_degrees: Range = (-10.0, 10.0)

    def __post_init__(self) -> None:
        for name, low, high in (
            ("brightness", -1, 1),
            ("contrast", 0, 10),
            ("gamma", 0.1, 10),
            ("saturation", 0, 10),
            ("hue_degrees", -180, 180),
        ):
            check_range("PhotometricConfig", name, getattr(self, name), low, high)


def photometric(
    image: Image,
    rng: np.random.Generator,
    config: PhotometricConfig,
    inside: Region | None = None,
) -> Image:
    r"""Change the light and colour of one view.

    With the grey axis rotation $R$, saturation $s$, contrast $c$, brightness $b$,
    exponent $g$ and the mean $\mu$ of the coloured image $Mx$,

    $$x' = \operatorname{clip}(c\,(M x - \mu) + \mu + b)^{g}, \qquad
        M = s R + (1 - s) \tfrac13 \mathbf 1 \mathbf 1^T.$$

    Args:
        image: Values in [0, 1].
        rng: Stream of this view.
        config: Ranges to draw from.
        inside: Where the image is not padding; the padding stays 0. None: everywhere.

    Shape:
        - image: (channel, height, width).
        - inside: (height, width).
        - returns: as `image`, a new array.

    Example:
        >>> still = PhotometricConfig((0, 0), (1, 1), (1, 1), (1, 1), (0, 0))
        >>> grey = np.full((3, 2, 2), 0.5, np.float32)
        >>> bool(np.allclose(photometric(grey, np.random.default_rng(0), still), grey))
        True
    """
    brightness, contrast = rng.uniform(*config.brightness), rng.uniform(*config.contrast)
    gamma = math.exp(rng.uniform(math.log(config.gamma[0]), math.log(config.gamma[1])))
    mean = float(
        image.mean() if inside is None else image.sum() / max(1, image.shape[0] * np.count_nonzero(inside))
    )
    if image.shape[0] == 3:
        colour = _colour_matrix(rng.uniform(*config.saturation), rng.uniform(*config.hue_degrees))
        changed = (contrast * colour).astype(np.float32) @ image.reshape(3, -1)
        changed = changed.reshape(image.shape)
    else:
        changed = image * np.float32(contrast)
    changed += np.float32((1 - contrast) * mean + brightness)
    np.clip(changed, 0, 1, out=changed)
    if gamma != 1:
        # exp(g log x) takes half the time of a power; the floor keeps log(0) out.
        torch.from_numpy(changed).clamp_(min=1e-12).log_().mul_(gamma).exp_()
    if inside is not None:
        changed *= inside
    return changed


def _colour_matrix(saturation: float, hue_degrees: float) -> Floats:
    """Return the rotation about the grey axis, drawn towards grey by the saturation."""
    angle = math.radians(hue_degrees)
    grey = np.full((3, 3), 1 / 3)
    across = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / math.sqrt(3)
    rotation = math.cos(angle) * np.eye(3) + (1 - math.cos(angle)) * grey + math.sin(angle) * across
    return np.asarray(saturation * rotation + (1 - saturation) * grey)
