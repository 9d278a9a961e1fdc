"""Identity of cases: what tells that a data set is the one that earlier work was done on.

This is the one place that says by what an image and a mask are known.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from s2s2.core.inputs import Inputs
from s2s2.core.records import content_digest, file_identity
from s2s2.data.case import Case
from s2s2.data.files import read_joined_raw

if TYPE_CHECKING:
    from s2s2.data.dataset import Dataset

_PIECE = 4096


def identities(cases: Iterable[Case]) -> dict[str, dict[str, str]]:
    """Return by case id what identifies image, mask, group, domain and pixel spacing.

    Args:
        cases: Each id once, as in a `Dataset`.
    """
    return {case.id: identity(case) for case in cases}


def identity(case: Case) -> dict[str, str]:
    """Return what identifies a case, by name."""
    found = {"image": image_identity(case), "group": case.group, "domain": case.domain}
    if case.mask_path is not None:
        found["mask"] = file_identity(case.mask_path)
    if case.spacing_mm is not None:
        found["spacing_mm"] = " x ".join(map(str, case.spacing_mm))
    if case.volume is not None:
        found["slice"] = f"{case.slice} of {case.volume}, {case.slice_mm} mm apart"
    return found


def image_identity(case: Case) -> str:
    """Return what identifies the image of a case: the bytes of its file, or of all its files."""
    if not case.parts:
        return file_identity(case.image_path)
    return Inputs({"files": [file_identity(path) for path in case.parts]}).digest


def copies(cases: Iterable[Case]) -> list[tuple[str, ...]]:
    """Return the ids of cases that have one image: links to one file, or files of equal bytes.

    Only files of equal size are opened, and only those that agree in a few places are read.
    """
    alike = [[case for case in cases if case.image_path.is_file()]]
    for key_of in (_size, _sample, _content):
        finer: dict[tuple[object, ...], list[Case]] = {}
        for number, same in enumerate(alike):
            for case in same:
                finer.setdefault((number, key_of(case.image_path)), []).append(case)
        alike = [same for same in finer.values() if len(same) > 1]
    return [tuple(case.id for case in same) for same in alike if not _is_blank_slice(same[0])]


def _is_blank_slice(case: Case) -> bool:
    """Whether a case is a slice without content: air above the head is no copy of other air."""
    if case.volume is None:
        return False
    pixels = read_joined_raw(case.files)
    return bool((pixels == pixels[:, :1, :1]).all())


def _size(path: Path) -> object:
    return path.stat().st_size


def _sample(path: Path) -> object:
    size = path.stat().st_size
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for start in (0, size // 2, max(0, size - _PIECE)):
            file.seek(start)
            digest.update(file.read(_PIECE))
    return digest.digest()


def _content(path: Path) -> object:
    return content_digest(path)


def contents(cases: Iterable[Case]) -> dict[str, dict[str, str]]:
    """Return by case id what identifies image and mask, whatever is said of the case."""
    return {
        case_id: {name: found[name] for name in ("image", "mask") if name in found}
        for case_id, found in identities(cases).items()
    }


def mask_digest(dataset: Dataset, case: Case) -> str:
    """Return the SHA-256 of a mask on the working grid and of its shape.

    Raises:
        DataError: If the mask cannot be read.
    """
    mask = dataset.mask(case)
    return hashlib.sha256(f"{mask.shape[0]}x{mask.shape[1]}:".encode() + mask.tobytes()).hexdigest()


def digests_of(dataset: Dataset) -> dict[str, dict[str, str]]:
    """Return what identifies image and mask of each case: the image's file, the mask on the working grid."""
    return {case.id: {"mask": mask_digest(dataset, case), "image": image_identity(case)} for case in dataset}


def changed(before: Mapping[str, Mapping[str, str]], now: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Return "image", "mask" or "image and mask" for each case of which another file was known before.

    Example:
        >>> before = {"a": {"image": "1", "mask": "2"}, "b": {"image": "3"}}
        >>> changed(before, {"a": {"image": "1", "mask": "4"}})
        {'a': 'mask'}
    """
    found = {}
    for case_id in before.keys() & now.keys():
        old, new = before[case_id], now[case_id]
        names = [name for name in ("image", "mask") if name in old and old[name] != new.get(name)]
        if names:
            found[case_id] = " and ".join(names)
    return dict(sorted(found.items()))
