"""Random changes of brightness, contrast, gamma, saturation and hue of one image."""

from __future__ import annotations

import math

import numpy as np

from s2s2.core.types import Floats, Image, Region
from s2s2.data.transforms.config import PhotometricConfig
from s2s2.data.transforms.opencv import cv2, single
from s2s2.data.transforms.styles import mix_channels


def photometric(
    image: Image,
    rng: np.random.Generator,
    config: PhotometricConfig,
    inside: Region | None = None,
) -> Image:
    r"""Change brightness, contrast, gamma, saturation and hue of one image.

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
        changed = mix_channels(image, (contrast * colour).astype(np.float32))
    else:
        changed = single(image) * np.float32(contrast)
    changed += np.float32((1 - contrast) * mean + brightness)
    # The floor keeps log(0) out.
    np.clip(changed, 0 if gamma == 1 else 1e-12, 1, out=changed)
    if gamma != 1:
        # Logarithm and exponential take half the time of a power.
        cv2.log(changed, changed)
        changed *= np.float32(gamma)
        cv2.exp(changed, changed)
    if inside is not None:
        changed *= inside.astype(np.float32)  # twice as fast as by booleans
    return changed


def _colour_matrix(saturation: float, hue_degrees: float) -> Floats:
    """Return the rotation about the grey axis, drawn towards grey by the saturation."""
    angle = math.radians(hue_degrees)
    grey = np.full((3, 3), 1 / 3)
    across = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / math.sqrt(3)
    rotation = math.cos(angle) * np.eye(3) + (1 - math.cos(angle)) * grey + math.sin(angle) * across
    return np.asarray(saturation * rotation + (1 - saturation) * grey)
