"""Stress of an image: strong changes of style and quality under which a network should hold.

Validation scores a network on these too, because the images of home alone cannot tell a
network that holds elsewhere from one that does not. They are made of home images; nothing
of any other site has a say.
"""

from __future__ import annotations

import numpy as np

from s2s2.core.types import Image
from s2s2.data.transforms.acquisition import Acquisition
from s2s2.data.transforms.config import AcquisitionConfig
from s2s2.data.transforms.styles import bend, random_convolution, random_curve, standardised

_MEAN, _SPREAD = (0.2, 0.8), (0.1, 0.3)
"""Range of the mean and of the standard deviation of a stressed image."""


def stressed(image: Image, rng: np.random.Generator) -> Image:
    """Return an image in a random style, in half of the draws with its polarity turned, and of less quality.

    The style is a random convolution or a random intensity curve of the whole image, with a new
    brightness and contrast; then each artefact of acquisition is applied with probability one half.

    Args:
        image: In [0, 1].
        rng: Where all chance comes from.

    Shape:
        - image: (channel, height, width).
        - returns: as `image`.

    Example:
        >>> image = np.random.default_rng(0).random((3, 32, 32), dtype=np.float32)
        >>> worse = stressed(image, np.random.default_rng(1))
        >>> worse.shape, bool(worse.min() >= 0), bool(worse.max() <= 1)
        ((3, 32, 32), True, True)
    """
    turned = bool(rng.random() < 0.5)
    if rng.random() < 0.5:
        texture = random_convolution(image, rng) * np.float32(-1 if turned else 1)
    else:
        texture = bend(image, random_curve(rng, inverted=turned))
    styled = np.stack([standardised(channel) for channel in texture])
    styled *= np.float32(rng.uniform(*_SPREAD))
    styled += np.float32(rng.uniform(*_MEAN))
    np.clip(styled, 0, 1, out=styled)
    return Acquisition(AcquisitionConfig(probability=0.5))(styled, rng)
