"""Identity of cases: what tells that a data set is the one that earlier work was done on.

This is the one place that says by what an image and a mask are known.
"""

from __future__ import annotations

from collections.abc import Iterable

from s2s2.core.records import file_identity
from s2s2.data.case import Case


def identities(cases: Iterable[Case]) -> dict[str, dict[str, str]]:
    """Return by case id what identifies image, mask, group, domain and pixel spacing; no file is read.

    Args:
        cases: Each id once, as in a `Dataset`.
    """
    return {case.id: identity(case) for case in cases}


def identity(case: Case) -> dict[str, str]:
    """Return what identifies a case, by name."""
    found = {"image": file_identity(case.image_path), "group": case.group, "domain": case.domain}
    if case.mask_path is not None:
        found["mask"] = file_identity(case.mask_path)
    if case.spacing_mm is not None:
        found["spacing_mm"] = " x ".join(map(str, case.spacing_mm))
    return found
