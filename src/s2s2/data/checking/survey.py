"""Survey of the files of all cases: each is read once, whatever is wrong with it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from s2s2.core.progress import Count
from s2s2.data.case import Case
from s2s2.data.files import in_threads, joined_header, read_joined_raw, read_mask_file
from s2s2.data.reading.mask_values import Levels
from s2s2.data.reading.reader import Header
from s2s2.errors import DataError


@dataclass(frozen=True)
class Surveyed:
    """The findings about the files of one case.

    Args:
        case: The case.
        header: Shape, channels and bits of the image, if it can be read.
        digest: Hash of the image's pixels, the same for equal images in any format.
        darkest: Smallest value of the image, in 0..1.
        brightest: Largest value of the image, in 0..1.
        image_fault: Why the image cannot be read, or None.
        mask_shape: Height and width of the mask, if it can be read.
        levels: The counted values of the mask, if it can be read.
        mask_fault: Why the mask cannot be read, or None.
    """

    case: Case
    header: Header | None = None
    digest: str | None = None
    darkest: float = 0.0
    brightest: float = 1.0
    image_fault: str | None = None
    mask_shape: tuple[int, int] | None = None
    levels: Levels | None = None
    mask_fault: str | None = None


def survey(cases: Sequence[Case], progress: Count | None = None) -> list[Surveyed]:
    """Read the files of all cases in a few threads.

    Args:
        cases: The cases.
        progress: Called with the number of cases done and of all cases.
    """
    surveyed = []
    for done, found in enumerate(in_threads(_survey_case, cases), start=1):
        surveyed.append(found)
        if progress is not None:
            progress(done, len(cases))
    return surveyed


def _survey_case(case: Case) -> Surveyed:
    findings: dict[str, object] = {}
    try:
        head = joined_header(case.files)
        pixels = read_joined_raw(case.files)
        top = np.iinfo(pixels.dtype).max
        digest = hashlib.blake2b(np.ascontiguousarray(pixels).data, digest_size=16)
        digest.update(f"{pixels.shape}{pixels.dtype}".encode())
        findings.update(header=head, digest=digest.hexdigest())
        findings.update(darkest=float(pixels.min() / top), brightest=float(pixels.max() / top))
    except DataError as error:
        findings.update(image_fault=str(error))
    if case.mask_path is not None:
        try:
            mask = read_mask_file(case.mask_path)
            findings.update(mask_shape=mask.pixels.shape[:2], levels=Levels.of(mask))
        except DataError as error:
            findings.update(mask_fault=str(error))
    return Surveyed(case, **findings)  # type: ignore[arg-type]
