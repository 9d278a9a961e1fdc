"""Cases of a public data set, found in a folder that lies as the data set is distributed."""

from __future__ import annotations

import os
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from s2s2.data.case import Case
from s2s2.data.catalogue.info import DatasetInfo, Files, describe_dataset
from s2s2.data.catalogue.pattern import Pattern
from s2s2.data.problems import Problem
from s2s2.errors import ConfigError, DataError, listed

_DEPTH = 2
"""How many folders may lie around the data set: archives are often unpacked into a folder of their name."""


@dataclass(frozen=True)
class Selection:
    """A data set, or some domains of it.

    Args:
        info: The data set.
        domains: Names of the domains that are taken; empty for all.

    Example:
        >>> chosen = Selection.parse("polypgen/C1+C2")
        >>> chosen.info.title, chosen.domains
        ('PolypGen', ('C1', 'C2'))
    """

    info: DatasetInfo
    domains: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Selection:
        """Read a name from `s2s2 datasets`, with domains behind a slash: `polypgen/C1+C2`.

        Raises:
            ConfigError: If there is no such data set or domain.
        """
        name, slash, chosen = text.partition("/")
        info = describe_dataset(name)
        domains = tuple(chosen.split("+")) if slash else ()
        if unknown := [domain for domain in domains if domain not in info.domains]:
            known = ", ".join(info.domains) or "none: it has one"
            raise ConfigError(
                f"{name} has no domain {unknown[0]!r}, expected {known}. "
                f"`s2s2 datasets {name}` says what they are."
            )
        return cls(info, domains)


class Located(NamedTuple):
    """A case where it lies.

    Args:
        case: The case; its mask may be a folder or polygons, its image a volume.
        files: How it was found.
    """

    case: Case
    files: Files


@dataclass(frozen=True)
class Place:
    """What was found of a data set.

    Args:
        cases: The cases, in the order of their ids.
        problems: What is wrong or left out.
    """

    cases: tuple[Located, ...]
    problems: tuple[Problem, ...] = ()


def locate(
    chosen: Selection, folder: Path, *, domain: str | None = None, masks_required: bool = True
) -> Place:
    """Find the cases of a public data set, of any kind; no file is read.

    Args:
        chosen: The data set, or domains of it.
        folder: Where it lies, or a folder around it.
        domain: Overrides the domains.
        masks_required: Whether images without a mask are an error. If not, masks are ignored.

    Raises:
        DataError: If the folder does not have the layout, or holds the data set more than once.
    """
    info = chosen.info
    root = _root(info, folder, masks_required)
    found: list[Located] = []
    problems: list[Problem] = []
    for files in info.files:
        here = [
            each
            for each in _found(info, files, root)
            if each.case.domain in (chosen.domains or [each.case.domain])
        ]
        found += _with_masks(files, here, problems) if masks_required else here
    if not found:
        raise DataError(
            f"{folder} holds no case of {', '.join(chosen.domains)} of {info.title}. Give other domains."
        )
    twice = [case_id for case_id, count in Counter(each.case.id for each in found).items() if count > 1]
    problems += [
        Problem("error", "same-name", name, "two files have this case id. Keep one.") for name in twice
    ]
    ordered = sorted(found, key=lambda each: each.case.id)
    return Place(tuple(_renamed(each, domain) for each in ordered), tuple(problems))


def read_cases(
    chosen: Selection, folder: Path, *, domain: str | None = None, masks_required: bool = True
) -> tuple[tuple[Case, ...], tuple[Problem, ...]]:
    """Find the cases of a data set of images or volumes with a mask file each.

    Raises:
        DataError: As `locate`, or if the data set is of another kind: what to do is said.
    """
    info = chosen.info
    place = locate(chosen, folder, domain=domain, masks_required=masks_required)
    if masks_required and not info.is_read:
        raise DataError(
            f"The masks of {info.title} are not one file an image. Write it as images/ and masks/ once, with "
            f"`s2s2 datasets {info.name} --data {folder} --output NEW_FOLDER`, and give the new folder "
            "without --dataset."
        )
    return tuple(each.case for each in place.cases), place.problems


def _found(info: DatasetInfo, files: Files, root: Path) -> Iterator[Located]:
    """Yield all images of a kind below a folder, with the mask of each where there is one."""
    mask_pattern = Pattern(files.mask)
    for image, parts in Pattern(files.image).found_below(root):
        masks = [path for path, _ in mask_pattern.found_below(root, parts)]
        known = {name: unicodedata.normalize("NFC", text) for name, text in files.complete(parts).items()}
        case_id = files.named(files.case, known, "")
        group, domain = files.named(files.group, known, case_id), files.named(files.domain, known, info.name)
        yield Located(Case(case_id, image, masks[0] if masks else None, group, domain), files)


def _with_masks(files: Files, found: Sequence[Located], problems: list[Problem]) -> list[Located]:
    """Return the images to use: where the data set has some without masks, those are left out."""
    lone = [each for each in found if each.case.mask_path is None]
    if lone and files.unlabelled:
        message = f"{len(lone)} images have no mask {files.mask} and are left out."
        problems.append(Problem("warning", "images-without-masks", files.image, message))
        return [each for each in found if each.case.mask_path is not None]
    for each in lone:
        message = f"{each.case.image_path.name} has no mask {files.mask}. Add it, or take the image out."
        problems.append(Problem("error", "image-without-mask", each.case.id, message))
    return list(found)


def _renamed(each: Located, domain: str | None) -> Located:
    case = each.case
    return (
        each
        if domain is None
        else Located(Case(case.id, case.image_path, case.mask_path, case.group, domain), each.files)
    )


def _root(info: DatasetInfo, folder: Path, masks_required: bool) -> Path:
    """Return the folder that the paths are relative to: the one given, or one in it.

    Raises:
        DataError: If there is none, or more than one.
    """
    here = [folder] if folder.is_dir() else []
    for _ in range(_DEPTH + 1):
        fits = [each for each in here if _fits(info, each, masks_required)]
        if len(fits) > 1:
            names = listed([each.name for each in fits])
            raise DataError(
                f"{folder} holds {info.title} {len(fits)} times: {names}. Give one of these folders."
            )
        if fits:
            return fits[0]
        here = [each for parent in here for each in _folders(parent)]
    raise DataError(
        f"{folder} does not hold {info.title} as it is distributed. Expected, in it or in a folder of it, "
        f"files such as {_expected(info)}. {_seen(folder)} Get the data from {info.page}; "
        f"`s2s2 datasets {info.name}` shows the whole layout."
    )


def _fits(info: DatasetInfo, root: Path, masks_required: bool) -> bool:
    found = (each for files in info.files for each in _found(info, files, root))
    return any(not masks_required or each.case.mask_path is not None for each in found)


def _folders(folder: Path) -> list[Path]:
    return [each for each in sorted(folder.iterdir()) if each.is_dir() and not each.name.startswith(".")]


def _expected(info: DatasetInfo) -> str:
    """Return the paths of one image and its mask for each kind of files."""
    pairs = [
        dict.fromkeys((Pattern(files.image).fill(files.example), Pattern(files.mask).fill(files.example)))
        for files in info.files
    ]
    return "; or ".join(" with ".join(pair) for pair in pairs)


def _seen(folder: Path) -> str:
    """Say what a folder holds instead."""
    if not folder.exists():
        return "There is nothing at this path."
    if not folder.is_dir():
        return "This is a file."
    names = [f"{name}/" if (folder / name).is_dir() else name for name in sorted(os.listdir(folder))]
    return f"It holds {listed(names)}." if names else "It is empty."
