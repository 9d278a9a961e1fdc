"""Listing of the images, masks and volumes below a folder, by the names that pair them."""

from __future__ import annotations

import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from s2s2.data.files import SUFFIXES
from s2s2.data.problems import Problem
from s2s2.data.volumes.formats import VOLUME_SUFFIXES, reader_of, volume_suffix

# Files that may be beside images without being meant as images.
_SILENT_SUFFIXES = {"", ".csv", ".json", ".txt", ".md", ".yaml", ".yml", ".xml", ".db", ".ini", ".pdf"}
_SILENT_SUFFIXES |= {".raw", ".zraw"}  # the voxels of .mhd and .nhdr
CHANNEL = re.compile(r"(.+)_(\d{4})")
"""Name of a file that is one channel of an image, without the suffix."""


def list_files(folder: Path) -> tuple[dict[str, list[Path]], tuple[Problem, ...]]:
    """List the images and volumes below a folder by their relative path without suffix.

    A folder whose files are one volume (a DICOM series) is listed as one; the folder that is searched is
    not where it holds one file that is a volume by itself.
    """
    files: dict[str, list[Path]] = {}
    strange: Counter[str] = Counter()
    for path in _walked(folder):
        if (suffix := _suffix(path)) is not None:
            # Disks and archives keep one letter in several forms: é, or e and its accent.
            stem = path.name[: len(path.name) - len(suffix)]
            relative = path.relative_to(folder).with_name(stem) if path != folder else Path(folder.name)
            key = unicodedata.normalize("NFC", relative.as_posix()).strip()
            files.setdefault(key, []).append(path)
        elif path.suffix.lower() not in _SILENT_SUFFIXES:
            strange[path.suffix.lower()] += 1
    problems = [
        Problem("error", "same-name", str(paths[1]), f"has the stem of {paths[0].name}. Keep one, or rename.")
        for paths in files.values()
        if len(paths) > 1
    ]
    for suffix, count in sorted(strange.items()):
        known = ", ".join((*SUFFIXES, *VOLUME_SUFFIXES))
        message = f"{count} file{'s' * (count > 1)} {suffix} ignored: images are {known}."
        problems.append(Problem("warning", "ignored-files", str(folder), message))
    return files, tuple(problems)


def channels_joined(
    images: Mapping[str, list[Path]], masks: Mapping[str, list[Path]]
) -> dict[str, list[Path]]:
    """Return images whose channels are files of their own, `_0000`, `_0001` and so on, by one name.

    They are where every name ends so, and either masks have the names without the ending or all images
    are volumes: frames of a video are numbered in the same way.

    Args:
        images: Files by name.
        masks: Files by name; empty for prediction.

    Example:
        >>> images = {name: [Path(f"{name}.png")] for name in ("a_0000", "a_0001")}
        >>> found = channels_joined(images, {"a": [Path("a.png")]})
        >>> {name: [path.name for path in paths] for name, paths in found.items()}
        {'a': ['a_0000.png', 'a_0001.png']}
    """
    parts = {key: CHANNEL.fullmatch(key) for key in images}
    if not images or any(match is None for match in parts.values()) or masks.keys() & images.keys():
        return dict(images)
    joined: dict[str, dict[int, Path]] = {}
    for key, match in parts.items():
        if match is not None:
            joined.setdefault(match[1], {})[int(match[2])] = images[key][0]
    complete = all(sorted(found) == list(range(len(found))) for found in joined.values())
    named = bool(masks.keys() & joined.keys())
    volumes = all(reader_of(paths[0]) is not None for paths in images.values())
    if not complete or not (named or (volumes and not masks)):
        return dict(images)
    return {key: [found[number] for number in sorted(found)] for key, found in joined.items()}


def slices_joined(masks: Mapping[str, list[Path]], images: Mapping[str, list[Path]]) -> dict[str, list[Path]]:
    """Return masks in which the image files of a folder are one, where an image of its name is a series.

    Args:
        masks: Files by name.
        images: Files by name.

    Example:
        >>> masks = {f"p1/{number}": [Path(f"masks/p1/{number}.png")] for number in (1, 2)}
        >>> found = slices_joined(masks, {"p1": [Path(__file__).parent]})
        >>> {name: [path.name for path in paths] for name, paths in found.items()}
        {'p1': ['p1']}
    """
    series = {key for key, paths in images.items() if key not in masks and paths[0].is_dir()}
    joined: dict[str, list[Path]] = {}
    for key, paths in masks.items():
        folder = key.rpartition("/")[0]
        if folder in series and paths[0].suffix.lower() in SUFFIXES:
            joined[folder] = [paths[0].parent]
        else:
            joined[key] = paths
    return joined


def _suffix(path: Path) -> str | None:
    """Return the suffix of an image or a volume, as it is written; "" of a folder; None of other files."""
    if path.is_dir():
        return ""
    if path.suffix.lower() in SUFFIXES:
        return path.suffix
    return volume_suffix(path.name) or None


def _walked(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder, and folders that are one volume.

    Links are followed, each folder is read once, in circles too.
    """
    known: set[tuple[int, int]] = set()
    for parent, folders, names in os.walk(folder, followlinks=True):
        status = os.stat(parent)
        place = status.st_dev, status.st_ino
        folders[:] = sorted(name for name in folders if not name.startswith(".") and place not in known)
        if place in known:
            continue
        known.add(place)
        alone = parent == str(folder) and _is_alone(folder, names)
        if not alone and reader_of(Path(parent)) is not None:
            yield Path(parent)
        else:
            yield from (Path(parent, name) for name in sorted(names) if not name.startswith("."))


def _is_alone(folder: Path, names: list[str]) -> bool:
    """Whether a folder holds one file, which is a volume by itself."""
    shown = [name for name in names if not name.startswith(".")]
    return len(shown) == 1 and reader_of(folder / shown[0]) is not None
