"""Named array types: what an array holds, and its type of numbers.

Shapes are given in the docstrings of functions.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.float32]
"""An image or several: (..., channel, height, width), in [0, 1]."""

LabelMap = npt.NDArray[np.uint8]
"""A mask or a prediction: (..., height, width), class ids."""

RawLabels = npt.NDArray[np.integer]
"""A mask or a prediction as a file holds it, before its values are checked: (..., height, width)."""

Picture = npt.NDArray[np.uint8]
"""An image for display: (height, width, RGB), 0 to 255."""

RawPixels = npt.NDArray[Any]
"""Pixels as a file holds them, in its own type of numbers."""

Region = npt.NDArray[np.bool_]
"""True where a pixel belongs to something: (..., height, width)."""

Vectors = npt.NDArray[np.float32]
"""Features, distances and other numbers of single precision that are not an image."""

Floats = npt.NDArray[np.float64]
"""Scores, coordinates and other numbers of double precision."""

Indices = npt.NDArray[np.intp]
"""Positions in another array."""
