"""Settings of how volumes become images: slicing axis, intensities, neighbouring slices."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from s2s2.errors import ConfigError

Axis = Literal["thickest", "axial", "coronal", "sagittal"]
Intensities = Literal["auto", "window", "percentiles", "zscore"]


@dataclass(frozen=True, kw_only=True)
class VolumeConfig:
    """How volumes (NIfTI, DICOM and others) are cut into slices. Flat images are not changed by it.

    Args:
        axis: Axis across which a volume is cut. `thickest` takes the one with the coarsest spacing, axial
            where none is clearly coarser.
        intensities: `window` clips to --volumes.window, for CT in HU. `percentiles` clips each volume at
            --volumes.percentiles of its voxels and scales it to 0..1, for MR. `zscore` clips there too, then
            takes away the mean and divides by the standard deviation; -4 to 4 become 0..1. `auto` takes
            `window` for CT and `percentiles` for all else, leaves arrays in 0..1 as they are, and `check`
            says which.
        modalities: What each channel shows, such as CT or T2, for `auto`: CT is in HU. Without it,
            dataset.json of nnU-Net or the files say; else whole numbers from air on, at -1000, are CT.
        window: Lower and upper limit in HU; the default is one of the abdomen.
        percentiles: Lower and upper percentile, 0 to 100.
        neighbours: Slices on either side that are read as further channels of a slice (2.5D). At the ends
            the last slice is repeated.
        cache: Folder of the slices that were cut. Without it, S2S2_CACHE or the cache folder of the user.
    """

    axis: Axis = "thickest"
    intensities: Intensities = "auto"
    modalities: tuple[str, ...] = ()
    window: tuple[float, float] = (-125.0, 275.0)
    percentiles: tuple[float, float] = (0.5, 99.5)
    neighbours: int = 0
    cache: Path | None = None

    def __post_init__(self) -> None:
        """Refuse limits out of order."""
        low, high = self.window
        if not low < high:
            raise ConfigError(f"--volumes.window takes a lower and an upper limit, got {low:g} and {high:g}.")
        low, high = self.percentiles
        if not 0 <= low < high <= 100:
            raise ConfigError(
                f"--volumes.percentiles takes two numbers from 0 to 100, the lower first, got {low:g} and "
                f"{high:g}."
            )
        if self.neighbours < 0:
            raise ConfigError(f"--volumes.neighbours must be at least 0, got {self.neighbours}.")

    def to_dict(self) -> dict[str, Any]:
        """Return what determines the images, for a network's card: everything but the cache."""
        return {each.name: getattr(self, each.name) for each in fields(self) if each.name != "cache"}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "VolumeConfig":
        """Build the settings from what `to_dict` gave.

        Raises:
            TypeError: If a name is none of these settings.
        """
        plain: Any = {name: tuple(v) if isinstance(v, list) else v for name, v in content.items()}
        return cls(**plain)
