"""Cases: one image with its mask, its group and its domain."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Case:
    """One image with its mask: a flat image, or one slice of a volume.

    Args:
        id: Name that is unique in its data set; everything is joined on it.
        image_path: File of the image.
        mask_path: File of the mask, or None where there is no mask (prediction).
        group: What must not be split: the patient, the video, the eye pair.
        domain: Site, scanner or modality.
        spacing_mm: Height and width of a pixel of the original image in mm, or
            None where it is unknown (distances are then in pixels).
        volume: Id of the volume that it is a slice of, or None for a flat image.
        slice: Which slice of the volume, counted from 0; 0 for a flat image.
        slice_mm: Distance of its slices in mm, or None where it is unknown.
        parts: Files whose channels are joined, in this order, where one file is not the whole image:
            a file for each modality, or the neighbours of a slice.
    """

    id: str
    image_path: Path
    mask_path: Path | None
    group: str
    domain: str
    spacing_mm: tuple[float, float] | None = None
    volume: str | None = None
    slice: int = 0
    slice_mm: float | None = None
    parts: tuple[Path, ...] = ()

    @property
    def files(self) -> tuple[Path, ...]:
        """The files of the image, in the order of their channels."""
        return self.parts or (self.image_path,)
