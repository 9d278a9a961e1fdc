"""Connected regions of label maps: keeping the largest one of a class."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from s2s2.core.types import LabelMap
from s2s2.data.classes import ClassMap
from s2s2.errors import ConfigError


def class_ids(names: Iterable[str], class_map: ClassMap) -> tuple[int, ...]:
    """Return the ids of classes by name, the background not among them.

    Raises:
        ConfigError: If there is no such class.
    """
    ids = []
    for name in names:
        if name not in class_map.names[1:]:
            raise ConfigError(
                f"There is no class {name!r} whose largest region could be kept, the network has "
                f"{', '.join(class_map.names[1:])}. Give one of these."
            )
        ids.append(class_map.names.index(name))
    return tuple(ids)


def keep_largest(labels: LabelMap, classes: Iterable[int]) -> LabelMap:
    """Return a label map in which each of these classes has its largest connected region alone.

    Pixels are connected by their sides (4 in an image, 6 in a volume). Of regions of one size the
    first one stays. What is taken away becomes background.

    Args:
        labels: Class ids of shape (height, width) or (slice, height, width).
        classes: Class ids.

    Example:
        >>> keep_largest(np.array([[1, 0, 1, 1, 2, 0, 2]], np.uint8), (1,)).tolist()
        [[0, 0, 1, 1, 2, 0, 2]]
    """
    from scipy import ndimage

    result = labels.copy()
    for class_id in classes:
        regions, count = ndimage.label(labels == class_id)
        if count > 1:
            sizes = np.bincount(regions.ravel())[1:]
            result[(regions > 0) & (regions != 1 + int(sizes.argmax()))] = 0
    return result
