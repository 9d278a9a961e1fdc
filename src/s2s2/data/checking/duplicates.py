"""Duplicate images: equal pixels in several groups, parts of a split or data sets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from s2s2.data.checking.survey import Surveyed
from s2s2.data.problems import Problem


def duplicates(surveyed: Sequence[Surveyed], part_of: Mapping[str, str]) -> Iterator[Problem]:
    """Report images with equal pixels in several groups or in several parts of a split.

    Args:
        surveyed: The cases that were read.
        part_of: The part of each case id, where there is a split.
    """
    alike: dict[str, list[Surveyed]] = {}
    for one in surveyed:
        # Air above the head is no copy of other air.
        if one.digest is not None and not (one.case.volume and one.darkest == one.brightest):
            alike.setdefault(one.digest, []).append(one)
    for same in alike.values():
        names = " = ".join(one.case.id for one in same)
        parts = sorted({part_of[one.case.id] for one in same if one.case.id in part_of})
        groups = sorted({one.case.group for one in same})
        if len(parts) > 1:
            message = f"one image is in the parts {' and '.join(parts)} of the split. Keep it in one part."
            yield Problem("error", "duplicate-across-split", names, message)
        elif len(groups) > 1:
            message = f"one image is in the groups {', '.join(groups)}. Put them into one group, or keep one."
            yield Problem("warning", "duplicate-across-groups", names, message)


def between_sites(digests: Mapping[str, Mapping[str, str]]) -> Iterator[Problem]:
    """Report images with equal pixels in several data sets.

    Args:
        digests: For each data set's name the digest of each case, from `CheckReport.digests`.

    Example:
        >>> [found.subject for found in between_sites({"home": {"a": "1", "b": "2"}, "away": {"c": "2"}})]
        ['home/b = away/c']
    """
    same_pixels: dict[str, list[tuple[str, str]]] = {}
    for site, of_case in digests.items():
        for case_id, digest in of_case.items():
            same_pixels.setdefault(digest, []).append((site, case_id))
    for same in same_pixels.values():
        if len({site for site, _ in same}) > 1:
            names = " = ".join(f"{site}/{case_id}" for site, case_id in same)
            message = "one image is in several data sets. Keep it in one: training images cannot test."
            yield Problem("warning", "duplicate-across-sites", names, message)
