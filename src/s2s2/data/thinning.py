"""Empty slices of volumes: how many of those that show no class are learnt from."""

from __future__ import annotations

import math
from dataclasses import replace

from s2s2.core.streams import stream
from s2s2.data.dataset import Dataset
from s2s2.data.split import Split


def thinned(split: Split, dataset: Dataset, share: float) -> Split:
    """Leave out of train and validation some of the slices that show no class.

    Slices far from the organ teach little and take most of the time. Test volumes keep all of theirs, and
    flat images are not touched.

    Args:
        split: Of the slices of all volumes.
        dataset: The cases with their masks.
        share: Of the slices without a class that stay, 0 to 1. Another seed of the split
            draws others. At least one stays in a part where there are any.
    """
    if not any(case.volume for case in dataset) or share >= 1:
        return split
    train, validation = (_kept(ids, dataset, share, split.seed) for ids in (split.train, split.validation))
    return replace(split, train=train, validation=validation)


def _kept(ids: tuple[str, ...], dataset: Dataset, share: float, seed: int) -> tuple[str, ...]:
    empty = [case_id for case_id in ids if _is_empty(dataset, case_id)]
    drawn = sorted(empty, key=lambda case_id: float(stream(seed, "empty slices", case_id).random()))
    left_out = set(drawn[math.ceil(len(drawn) * share) :])
    return tuple(case_id for case_id in ids if case_id not in left_out)


def _is_empty(dataset: Dataset, case_id: str) -> bool:
    case = dataset.case(case_id)
    return bool(case.volume and case.mask_path is not None and not (dataset.original_mask(case) > 0).any())
