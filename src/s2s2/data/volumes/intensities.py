"""Intensities of volumes: from HU or arbitrary units to pixels of 16 bits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from s2s2.core.types import Image, RawPixels, Vectors
from s2s2.data.volumes.config import VolumeConfig

_TOP = 65535
_DEEP = -200.0
"""CT holds air, at -1000 HU; few other modalities have whole numbers below this."""
_REACH = 4.0
"""Standard deviations to either side of the mean that `zscore` keeps."""
_SAMPLED = 2**22
"""Voxels that percentiles are taken of, evenly spaced; more change them by less than a grey level."""


@dataclass(frozen=True)
class Statistics:
    """The values of one channel of a volume.

    Args:
        low: Smallest value.
        high: Largest value.
        whole: Whether all values are whole numbers.
        missing: Number of voxels that are not finite.
        sample: Some of the finite values, evenly spaced.
    """

    low: float
    high: float
    whole: bool
    missing: int
    sample: Vectors

    @classmethod
    def of(cls, slices: Iterable[Vectors], voxels: int) -> Statistics:
        """Measure slices of values, one by one.

        Args:
            slices: Values of each slice.
            voxels: Number of all voxels.
        """
        step = max(1, -(-voxels // _SAMPLED))
        low, high, whole, missing, sample = np.inf, -np.inf, True, 0, []
        for values in slices:
            finite = np.isfinite(values)
            if not finite.all():
                missing += int(values.size - np.count_nonzero(finite))
                values = values[finite]
            if values.size:
                low, high = min(low, float(values.min())), max(high, float(values.max()))
                sample.append(values.ravel()[::step])
                whole = whole and bool((sample[-1] == np.rint(sample[-1])).all())
        return cls(low, high, whole, missing, np.concatenate(sample) if sample else np.zeros(0, np.float32))


@dataclass(frozen=True)
class Scaling:
    """How the values of one channel become pixels.

    Args:
        kind: window, percentiles, zscore, or prepared where the values are in 0..1 already.
        low: Value that becomes 0.
        high: Value that becomes 65535.

    Example:
        >>> Scaling("window", -125.0, 275.0).pixels(np.array([-1000.0, 75.0, 900.0], np.float32)).tolist()
        [0, 32768, 65535]
    """

    kind: str
    low: float
    high: float

    @classmethod
    def of(
        cls, statistics: Statistics, modality: str, config: VolumeConfig, *, bare: bool = False
    ) -> Scaling:
        """Return how a channel is scaled.

        Args:
            statistics: Of the channel.
            modality: As `RawVolume.modality`.
            config: What was asked for.
            bare: As `RawVolume.bare`.
        """
        kind = config.intensities
        if kind == "auto" and bare and statistics.low >= 0 and statistics.high <= 1:
            return cls("prepared", 0.0, 1.0)
        if kind == "auto":
            kind = "window" if looks_like_ct(statistics, modality) else "percentiles"
        if kind == "window":
            return cls(kind, *map(float, config.window))
        low, high = (float(each) for each in np.percentile(statistics.sample, config.percentiles))
        if kind == "zscore":
            clipped = np.clip(statistics.sample.astype(np.float64), low, high)
            mean, deviation = float(clipped.mean()), float(clipped.std()) or 1.0
            low, high = mean - _REACH * deviation, mean + _REACH * deviation
        return cls(kind, low, high if high > low else low + 1.0)

    def pixels(self, values: Vectors) -> RawPixels:
        """Return values of any shape as uint16."""
        unit = (values - np.float32(self.low)) * np.float32(1 / (self.high - self.low))
        pixels: RawPixels = np.rint(np.clip(unit, 0, 1) * np.float32(_TOP)).astype(np.uint16)
        return pixels

    def values(self, unit: Image) -> Vectors:
        """Return the values of pixels in [0, 1]; what had been clipped stays at the limits."""
        return unit * np.float32(self.high - self.low) + np.float32(self.low)

    def __str__(self) -> str:
        unit = " HU" if self.kind == "window" else ""
        return f"{self.kind} {self.low:g}..{self.high:g}{unit}"


def looks_like_ct(statistics: Statistics, modality: str) -> bool:
    """Whether values are HU: the modality says so, or says nothing and they are whole numbers from air on."""
    return modality.casefold() == "ct" or (not modality and statistics.whole and statistics.low <= _DEEP)
