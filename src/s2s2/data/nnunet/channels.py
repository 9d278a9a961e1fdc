"""Channels of nnU-Net's images: one file for each, `_0000`, `_0001` and so on, as dataset.json names them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from s2s2.data.nnunet.description import Description
from s2s2.data.problems import Problem
from s2s2.data.reading.listing import CHANNEL
from s2s2.data.volumes.formats import reader_of


class Joined(NamedTuple):
    """The images of a data set.

    Args:
        images: The files of each case, in the order of the channels.
        incomplete: Cases that are left out, as they lack channels or have more than are named.
        problems: What is wrong with these, and which files are not read.
    """

    images: dict[str, list[Path]]
    incomplete: frozenset[str]
    problems: tuple[Problem, ...]


def channels_described(files: Mapping[str, list[Path]], described: Description) -> Joined:
    """Join the channels of each case.

    A data set with one channel may leave out `_0000`, as the Medical Segmentation Decathlon does. One
    file may hold the three channels of a colour image.

    Args:
        files: Files by name, as `list_files` gives them.
        described: What dataset.json says.
    """
    ours = {name: paths[0] for name, paths in files.items() if paths[0].name.endswith(described.ending)}
    problems = []
    if others := len(files) - len(ours):
        message = f"{others} file{'s' * (others > 1)} of another ending than {described.ending} not read."
        problems.append(Problem("warning", "other-ending", str(described.path), message))
    matches = {name: CHANNEL.fullmatch(name) for name in ours}
    if len(described.channels) == 1 and not any(matches.values()):
        return Joined({name: [path] for name, path in ours.items()}, frozenset(), tuple(problems))
    found: dict[str, dict[int, Path]] = {}
    for name, match in matches.items():
        case, number = (match[1], int(match[2])) if match else (name, -1)
        found.setdefault(case, {})[number] = ours[name]
    faults = {case: fault for case, parts in found.items() if (fault := _fault(case, parts, described))}
    problems += [Problem("error", "channels", case, fault) for case, fault in sorted(faults.items())]
    images = {case: [parts[n] for n in sorted(parts)] for case, parts in found.items() if case not in faults}
    return Joined(images, frozenset(faults), tuple(problems))


def _fault(case: str, parts: Mapping[int, Path], described: Description) -> str:
    """Say which files of a case are missing or not named, "" where it is whole."""
    names = described.channels
    is_colour = list(parts) == [0] and len(names) == 3 and reader_of(parts[0]) is None
    if is_colour or sorted(parts) == list(range(len(names))):
        return ""
    ending = described.ending or ".nii.gz"
    if -1 in parts and len(names) > 1:
        return (
            f"{parts[-1].name} has no number of a channel. Save each channel as a file of its own, "
            f"{case}_0000{ending} for {names[0]} and so on, as `nnUNetv2_convert_MSD_dataset` does."
        )
    if -1 in parts:
        return f"{parts[-1].name} has no number of a channel. Name it {case}_0000{ending}."
    listed = ", ".join(f"_{number:04d} {name}" for number, name in enumerate(names))
    missing = [f"{case}_{n:04d}{ending}" for n in range(len(names)) if n not in parts]
    if missing:
        return f"{', '.join(missing)} missing: dataset.json names {listed}. Add it, or take the case out."
    more = [path.name for number, path in sorted(parts.items()) if number >= len(names)]
    return f"{', '.join(more)} not named in dataset.json, which has {listed}. Name it there, or take it out."
