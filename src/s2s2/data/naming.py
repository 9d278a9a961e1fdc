"""Classes by name: two data sets may number the same classes in another order."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from s2s2.data.classes import ClassMap


def in_order_of(class_map: ClassMap, names: Sequence[str]) -> ClassMap | None:
    """Return a class map with its classes in the order of `names`; None where these are other names.

    Example:
        >>> theirs = ClassMap.parse(["background=0", "LV=1", "RV=3"])
        >>> print(in_order_of(theirs, ("background", "RV", "LV")))
        background=0 RV=3 LV=1
    """
    if set(names) != set(class_map.names):
        return None
    values = dict(zip(class_map.names, class_map.values, strict=True))
    return ClassMap(tuple(names), tuple(values[name] for name in names), class_map.soft, class_map.palettes)


def classes_for(path: Path, class_map: ClassMap) -> ClassMap:
    """Return the classes of one data set with the values that another folder declares for them.

    Args:
        path: The other data set: a folder whose classes.json or dataset.json may say its values.
        class_map: The classes.

    Returns:
        `class_map` itself where nothing is declared, or classes of other names.

    Raises:
        DataError: If what the folder declares is no class map.
    """
    own = ClassMap.declared(path) if path.is_dir() else None
    return (in_order_of(own, class_map.names) if own is not None else None) or class_map
