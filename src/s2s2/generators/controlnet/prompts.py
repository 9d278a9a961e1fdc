"""The prompt of a mask: what kind of image it is, and the classes that it shows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from s2s2.data.classes import ClassMap


def prompt(mask: npt.NDArray[np.uint8], class_map: ClassMap, modality: str) -> str:
    """Return the prompt of a mask.

    Args:
        mask: Class ids of any shape.
        class_map: Gives the names of the classes; all text but the modality comes from it.
        modality: What the images are.

    Example:
        >>> classes = ClassMap.parse(["background=0", "left_ventricle=1", "myocardium=2"])
        >>> prompt(np.array([0, 2, 1]), classes, "A 2D slice of a cardiac MRI scan")
        'A 2D slice of a cardiac MRI scan showing left ventricle, myocardium'
        >>> prompt(np.array([0]), classes, "A 2D slice of a cardiac MRI scan")
        'A 2D slice of a cardiac MRI scan'
    """
    present = [class_map.names[label].replace("_", " ").strip() for label in np.unique(mask) if label]
    return f"{modality} showing {', '.join(present)}" if present else modality
