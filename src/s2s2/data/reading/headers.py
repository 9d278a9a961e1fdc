"""Headers of all images of a data set, and the number of channels that they can be read with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from s2s2.data.case import Case
from s2s2.data.files import in_threads, joined_header
from s2s2.data.reading.reader import Header
from s2s2.errors import DataError


def read_headers(cases: Sequence[Case]) -> dict[str, Header]:
    """Read the header of each image that can be read, by case id."""
    found = zip(cases, in_threads(_header_or_none, cases), strict=True)
    return {case.id: head for case, head in found if head is not None}


def _header_or_none(case: Case) -> Header | None:
    try:
        return joined_header(case.files)
    except DataError:
        return None  # named when this case is read, and by the check


def common_channels(headers: dict[str, Header], where: Path) -> int:
    """Return the channels that all images can be read with: grey beside RGB is RGB.

    Raises:
        DataError: If no image can be read, or their channels do not go together.
    """
    counts = Counter(head.channels for head in headers.values())
    if not counts:
        raise DataError(f"None of the images of {where} can be read. `s2s2 check` names the cause for each.")
    if len(counts) > 1 and not set(counts) <= {1, 3}:
        listed = ", ".join(f"{count} with {channels}" for channels, count in sorted(counts.items()))
        raise DataError(
            f"The images of {where} do not go together: {listed} channels. "
            "Expected one number, or grey (1) and RGB (3): open them as separate data sets."
        )
    return max(counts)
