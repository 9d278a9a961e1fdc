"""How well what a segmenter reads agrees with the mask that an image was made for."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from s2s2.metrics import overlap


@dataclass(frozen=True, slots=True)
class Agreement:
    """Agreement of one image.

    Args:
        classes: Dice of each class but the background, NaN where the mask has none of it.
        mean: Mean over the classes that the mask has, in [0, 1]; of a mask without
            foreground the share of pixels that are read as background.
    """

    classes: tuple[float, ...]
    mean: float


def agreement(predicted: npt.NDArray[np.uint8], mask: npt.NDArray[np.uint8], classes: int) -> Agreement:
    """Compare a prediction with the mask, over the classes that the mask has.

    A class that is only predicted costs the classes that it is taken for, and is not
    counted once more: its Dice would be 0 for a single wrong pixel.

    Args:
        predicted: Class ids.
        mask: Class ids.
        classes: Number of classes with the background.

    Shape:
        - predicted, mask: (height, width).

    Example:
        >>> mask = np.array([[0, 1, 1, 1]], np.uint8)
        >>> agreement(np.array([[2, 1, 1, 0]], np.uint8), mask, 3)
        Agreement(classes=(0.8, nan), mean=0.8)
    """
    dice = overlap(predicted, mask, classes).dice
    present = np.isin(np.arange(1, classes), mask)
    found = tuple(float(value) if there else math.nan for value, there in zip(dice, present, strict=True))
    if not present.any():
        return Agreement(found, float((predicted == 0).mean()))
    return Agreement(found, float(np.mean(dice[present])))
