"""A data set in numbers, as plain lists and mappings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from s2s2.data.checking.survey import Surveyed
from s2s2.data.classes import ClassMap


def summarise(surveyed: Sequence[Surveyed], class_map: ClassMap | None) -> dict[str, Any]:
    """Count cases, groups, domains, sizes, channels, bits and classes.

    Returns:
        A mapping that can be written as JSON. `sizes` counts images by "height x
        width"; `classes` has one entry a class: id, name, values, pixel_share (of all
        mask pixels, 0 to 1) and cases (in how many masks it occurs).
    """
    cases = [one.case for one in surveyed]
    heads = [one.header for one in surveyed if one.header is not None]
    digests = [one.digest for one in surveyed if one.digest is not None]
    return {
        "cases": len(cases),
        "groups": len({case.group for case in cases}),
        "domains": dict(Counter(case.domain for case in cases)),
        "masks": sum(case.mask_path is not None for case in cases),
        "sizes": dict(Counter(f"{head.shape[0]} x {head.shape[1]}" for head in heads).most_common()),
        "channels": {str(key): count for key, count in Counter(head.channels for head in heads).items()},
        "bits": {str(key): count for key, count in Counter(head.bits for head in heads).items()},
        "equal_images": len(digests) - len(set(digests)),
        "class_map": class_map.to_dict() if class_map is not None else None,
        "classes": _classes(surveyed, class_map) if class_map is not None else [],
    }


def _classes(surveyed: Sequence[Surveyed], class_map: ClassMap) -> list[dict[str, Any]]:
    pixels = np.zeros(len(class_map))
    occurs = np.zeros(len(class_map), int)
    for one in surveyed:
        share = class_map.share(one.levels) if one.levels is not None else None
        if share is not None and one.levels is not None:
            pixels += share * sum(one.levels.counts.values())
            occurs += share > 0
    shares = pixels / max(1.0, float(pixels.sum()))
    listed = class_map.to_dict()["classes"]
    return [
        {"id": index, **listed[index], "pixel_share": float(shares[index]), "cases": int(occurs[index])}
        for index in range(len(class_map))
    ]
