r"""Label fidelity: does a copy show the mask that it was made for?

Segmenters of the real images, none of which saw the case's group, read every copy. A low
agreement alone says little: a case that is hard to segment is hard in its copies too, and
where judges miss some real objects altogether, the lowest quantile of real agreement is 0 and
marks nothing. So each case is its own measure. Its held-out real image is read as it is and in
other light, colour and acquisition, all of which leave its mask true; the mean of these
agreements is what is expected, $e_i$. A copy is marked when both hold:

1. it falls further below than true images do: $e_i - a_{ik} > \delta$, with $\delta$ the $1 - q$
   quantile of the falls of the readings, each below the mean of the others of its case;
2. its agreement lies below the median of the held-out real images, so that a copy which is read
   as well as most real images are is never marked, however well its own real image is read.

What judges cannot read they cannot judge: `power` says how many wrong masks they would find.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from s2s2.core.types import Floats, Region


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
