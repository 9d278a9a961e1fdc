"""Defects of generated images: values that are not finite, or one colour all over."""

from __future__ import annotations

from typing import Literal

import numpy as np

from s2s2.core.types import Image

_STEP = 1 / 255


def defect_of(image: Image) -> Literal["nan", "constant", ""]:
    """Return what is wrong with a generated image, "" if nothing is.

    A network may overflow, and a safety filter gives a black image for one it
    refuses: every channel then has one value, to a grey level of 8 bits.

    Args:
        image: Shape (channel, height, width).

    Example:
        >>> defect_of(np.zeros((3, 4, 4), np.float32))
        'constant'
        >>> defect_of(np.full((1, 4, 4), np.nan, np.float32))
        'nan'
    """
    flat = image.reshape(len(image), -1)
    low, high = flat.min(axis=1), flat.max(axis=1)
    if not (np.isfinite(low).all() and np.isfinite(high).all()):
        return "nan"
    return "constant" if (high - low <= _STEP).all() else ""
