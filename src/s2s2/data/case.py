"""Cases: one image with its mask, its group and its domain."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Case:
    """One image with its mask.

    Args:
        id: Name that is unique in its data set; everything is joined on it.
        image_path: File of the image.
        mask_path: File of the mask, or None where there is no mask (prediction).
        group: What must not be split: the patient, the video, the eye pair.
        domain: Site, scanner or modality.
        spacing_mm: Height and width of a pixel of the original image in mm, or
            None where it is unknown (distances are then in pixels).
    """

    id: str
    image_path: Path
    mask_path: Path | None
    group: str
    domain: str
    spacing_mm: tuple[float, float] | None = None
