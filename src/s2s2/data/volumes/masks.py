"""Masks of volumes: the class ids of all slices as one array."""

from __future__ import annotations

import numpy as np

from s2s2.core.types import LabelMap
from s2s2.data.dataset import Dataset
from s2s2.data.volumes.volume import Volume


def volume_mask(dataset: Dataset, volume: Volume) -> LabelMap:
    """Read the mask of a volume, all its slices; of a flat image its own.

    Returns:
        Class ids of shape (slice, height, width), or (height, width) of a flat image.

    Raises:
        DataError: If a mask is missing or cannot be read.
    """
    masks = [dataset.original_mask(case) for case in volume.cases]
    return masks[0] if volume.is_flat else np.stack(masks)
