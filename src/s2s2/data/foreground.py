"""Foreground of the parts of a split: what nothing can be learnt, chosen or scored without."""

from __future__ import annotations

import numpy as np

from s2s2.data.dataset import Dataset
from s2s2.errors import SplitError, listed

_USES = {"train": "learnt", "validation": "heeded in the choice of a checkpoint", "test": "scored"}


def require_foreground(part: Dataset, name: str) -> None:
    """Refuse a part of a split whose masks mark nothing; masks are read up to the first that does.

    Args:
        part: Its cases; where none has a mask, nothing is refused.
        name: Of the part, for the error.

    Raises:
        SplitError: If no mask has any foreground.
    """
    masked = [case for case in part if case.mask_path is not None]
    if masked and not any((part.mask(case) > 0).any() for case in masked):
        raise SplitError(
            f"None of the {len(masked)} {name} cases of {part.root} has any foreground, expected one at "
            "least in each part: without it nothing is learnt, no checkpoint is chosen, nothing is scored. "
            "Make a new split with `s2s2 split`, which spreads the foreground, or add cases that have some."
        )


def absent_classes(part: Dataset, name: str) -> list[str]:
    """Say which classes no mask of a part holds, in a sentence if there are any; reads all its masks.

    Args:
        part: Its cases.
        name: train, validation or test.
    """
    found = {int(label) for case in part if case.mask_path for label in np.unique(part.mask(case))}
    missing = [one for label, one in enumerate(part.class_map.names) if label and label not in found]
    if not missing or not found:
        return []
    return [f"No {name} case holds the class {listed(missing)}: it is not {_USES[name]}."]
