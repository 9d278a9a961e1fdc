r"""Label fidelity: does a copy show the mask that it was made for?

Every copy is segmented by a network of the real images that has not seen the case's group. A
low agreement alone says little: a case that is hard to segment is hard in its copies too, and
where the segmenters miss some real objects, the lowest quantile of real agreement is 0 and
marks nothing. So each case is compared with itself. Its held-out real image is segmented as it
is and in other light, colour and acquisition, all of which leave its mask true; the mean of
these agreements is what is expected, $e_i$. A copy is marked when both hold:

1. it falls further below than true images do: $e_i - a_{ik} > \delta$, with $\delta$ the $1 - q$
   quantile of the falls of these readings, each below the mean of the others of its case;
2. its agreement lies below the median of the held-out real images, so that a copy which is
   segmented as well as most real images is never marked.

Weak segmenters find few wrong masks: `power` says what share of them they would find.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from s2s2.core.types import Floats, LabelMap, Region
from s2s2.metrics import Comparison


@dataclass(frozen=True, slots=True)
class Agreement:
    """How well what is read from one image agrees with the mask that it was made for.

    Args:
        classes: Dice of each class but the background, NaN where the mask has none of it.
        mean: Mean over the classes that the mask has, in [0, 1]; of a mask without
            foreground the share of pixels that are read as background.
    """

    classes: tuple[float, ...]
    mean: float


def agreement(predicted: LabelMap, mask: LabelMap, classes: int) -> Agreement:
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
    dice = Comparison(predicted, mask, classes).dice
    present = np.isin(np.arange(1, classes), mask)
    found = tuple(float(value) if there else math.nan for value, there in zip(dice, present, strict=True))
    if not present.any():
        return Agreement(found, float((predicted == 0).mean()))
    return Agreement(found, float(np.mean(dice[present])))


@dataclass(frozen=True, slots=True)
class FidelityRule:
    """Which copies do not show their masks.

    Args:
        drop: How far a copy may fall below the agreement of its real image, 0 or more.
        agreement: At or above this agreement no copy is marked.
    """

    drop: float
    agreement: float

    @classmethod
    def fit(cls, readings: Floats, quantile: float) -> FidelityRule:
        """Set the rule by real images, so that about `quantile` of true ones would be marked.

        Args:
            readings: Agreement of each held-out real image, first as it is, then changed.
            quantile: Share of the readings that may fall further, in (0, 0.5).

        Shape:
            - readings: (case, reading), 2 readings or more.

        Example:
            >>> FidelityRule.fit(np.array([[0.9, 0.8], [0.7, 0.7]]), 0.05)
            FidelityRule(drop=0.085, agreement=0.8)
        """
        count = readings.shape[1]
        others = (readings.sum(axis=1, keepdims=True) - readings) / (count - 1)
        drop = max(0.0, float(np.quantile(others - readings, 1 - quantile)))
        return cls(round(drop, 6), round(float(np.median(readings[:, 0])), 6))

    def unfaithful(self, copies: Floats, expected: float | Floats) -> Region:
        """Return which copies do not show their mask.

        Args:
            copies: Agreement of each copy.
            expected: Mean agreement of the readings of the case's real image.
        """
        return (copies < expected - self.drop) & (copies < self.agreement)
