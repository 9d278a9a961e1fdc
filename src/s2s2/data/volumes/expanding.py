"""From the volumes of a data set to its cases: every slice is one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from s2s2.core.progress import Count
from s2s2.data.case import Case
from s2s2.data.problems import Problem
from s2s2.data.volumes.config import VolumeConfig
from s2s2.data.volumes.cutting import Facts, cut_image, cut_mask
from s2s2.data.volumes.formats import reader_of
from s2s2.data.volumes.volume import Volume
from s2s2.errors import DataError, listed

_AT_ONCE = 2
"""Volumes that are cut side by side: each is in memory as a whole."""


@dataclass(frozen=True)
class CutVolumes:
    """The volumes of a data set.

    Args:
        config: How they were cut.
        volumes: Those whose slices are cases, by id.
        facts: What was found of each that was cut, by id.
        skipped: Why a volume cannot be cut, by id.
    """

    config: VolumeConfig = field(default_factory=VolumeConfig)
    volumes: dict[str, Volume] = field(default_factory=dict)
    facts: dict[str, Facts] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)

    def of(self, volumes: Iterable[Volume]) -> CutVolumes:
        """Return what is known of these volumes alone; flat images are passed over."""
        own = {each.id: each for each in volumes if not each.is_flat}
        facts = {name: found for name, found in self.facts.items() if name in own}
        return replace(self, volumes=own, facts=facts)


def is_volume(case: Case) -> bool:
    """Whether the image of a case, as it was found on disk, is a volume."""
    return reader_of(case.image_path) is not None


def expand(
    cases: Sequence[Case], config: VolumeConfig, progress: Count | None = None
) -> tuple[tuple[Case, ...], tuple[Problem, ...], CutVolumes]:
    """Cut every volume among cases into slices.

    Args:
        cases: As they were found; the id of one whose image is a volume is the volume's.
        config: How volumes are cut.
        progress: Called with the number of volumes that are cut and of all.

    Returns:
        Flat images as they were and volumes as their slices; masks that cannot be used; the volumes.
    """
    stored = [case for case in cases if is_volume(case)]
    if not stored and not any(case.volume for case in cases):
        return tuple(cases), (), CutVolumes(config)
    cut: list[_Cut] = []
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for done, each in enumerate(pool.map(lambda case: _cut(case, config), stored), start=1):
            cut.append(each)
            if progress is not None:
                progress(done, len(stored))
    cases, cut = _gathered(cases, cut)
    volumes = {each.id: each.volume for each in cut if each.volume is not None} | _flat_volumes(cases, config)
    slices = {each.id: each for volume in volumes.values() for each in volume.cases}
    problems = [Problem("error", "volume-mask", each.id, each.mask_fault) for each in cut if each.mask_fault]
    problems += _divided(volumes.values())
    facts = {each.id: each.facts for each in cut if each.facts is not None}
    skipped = {each.id: each.fault for each in cut if each.fault}
    expanded: list[Case] = []
    for case in cases:
        if case.id in volumes and case.volume is None:
            expanded += volumes[case.id].cases
        elif case.id not in skipped:
            expanded.append(slices.get(case.id, case))
    return tuple(expanded), tuple(problems), CutVolumes(config, volumes, facts, skipped)


def _divided(volumes: Iterable[Volume]) -> Iterator[Problem]:
    """Report volumes whose slices are in several groups: a split could part them."""
    for volume in volumes:
        groups = sorted({case.group for case in volume.cases})
        if len(groups) > 1:
            message = f"its slices are in the groups {listed(groups)}. Give all slices of a volume one group."
            yield Problem("error", "volume-in-two-groups", volume.id, message)


@dataclass
class _Cut:
    """What became of one volume."""

    id: str
    volume: Volume | None = None
    facts: Facts | None = None
    fault: str = ""
    mask_fault: str = ""


def _gathered(cases: Sequence[Case], cut: Sequence[_Cut]) -> tuple[list[Case], list[_Cut]]:
    """Join slices that are a file of arrays each: they become the images that they were cut to.

    A volume with a slice that cannot be read is left out as a whole.
    """
    found = {each.id: each for each in cut}
    loose = [case for case in cases if case.volume is not None and case.id in found]
    volumes: dict[str, list[_Cut]] = {}
    for case in loose:
        each = found.pop(case.id)
        if each.volume is not None and len(each.volume.cases) != 1:
            each.fault = (
                f"{case.image_path} holds {len(each.volume.cases)} slices, but its name ends as that of one. "
                "Rename it, without _slice."
            )
        volumes.setdefault(str(case.volume), []).append(each)
    joined = [_joined(name, some) for name, some in volumes.items()]
    bad = {each.id for each in joined if each.fault}
    cut_to = {each.id: each.volume.cases[0] for some in volumes.values() for each in some if each.volume}
    kept = [
        replace(cut_to[case.id], id=case.id, volume=case.volume, slice=case.slice)
        if case.volume is not None and case.id in cut_to
        else case
        for case in cases
        if case.volume not in bad
    ]
    return kept, [*found.values(), *joined]


def _joined(name: str, slices: Sequence[_Cut]) -> _Cut:
    """Return what became of a volume of slices that were cut each by itself."""
    facts = [each.facts for each in slices if each.facts is not None]
    whole = None
    if facts:
        lows, highs = (
            zip(*(each.lows for each in facts), strict=True),
            zip(*(each.highs for each in facts), strict=True),
        )
        whole = replace(facts[0], lows=tuple(map(min, lows)), highs=tuple(map(max, highs)))
    faults, mask_faults = (
        [*filter(None, each)] for each in zip(*((s.fault, s.mask_fault) for s in slices), strict=True)
    )
    return _Cut(name, None, whole, "".join(faults[:1]), "".join(mask_faults[:1]))


def _cut(case: Case, config: VolumeConfig) -> _Cut:
    try:
        facts, images = cut_image(case.files, config)
    except DataError as error:
        return _Cut(case.id, fault=str(error))
    masks: Sequence[Path | None] = [None] * len(images)
    fault = ""
    if case.mask_path is not None:
        try:
            masks = cut_mask(case.mask_path, case.files, facts, config)
        except DataError as error:
            fault = str(error)
    spacing = facts.spacing_mm
    group = facts.patient if facts.patient and case.group == case.id else case.group
    slices = [
        replace(
            case,
            id=f"{case.id}_s{number:03d}",
            image_path=image,
            mask_path=mask,
            group=group,
            spacing_mm=spacing and spacing[1:],
            slice_mm=spacing and spacing[0],
            volume=case.id,
            slice=number,
            parts=(),
        )
        for number, (image, mask) in enumerate(zip(images, masks, strict=True))
    ]
    whole = tuple(with_neighbours(slices, config.neighbours))
    volume = Volume(case.id, whole, case.files, case.mask_path, facts.grid, spacing)
    return _Cut(case.id, volume, facts, mask_fault=fault)


def with_neighbours(slices: Sequence[Case], reach: int) -> Iterator[Case]:
    """Give each slice the files of its neighbours as further channels; the ends are repeated.

    Args:
        slices: All slices of a volume, from first to last.
        reach: Neighbours on either side, 0 or more.
    """
    last = len(slices) - 1
    for number, case in enumerate(slices):
        around = [slices[min(max(number + step, 0), last)] for step in range(-reach, reach + 1)]
        yield replace(case, parts=tuple(each.image_path for each in around)) if reach else case


def _flat_volumes(cases: Sequence[Case], config: VolumeConfig) -> dict[str, Volume]:
    """Return the volumes whose slices are image files, as a manifest declares them."""
    members: dict[str, list[Case]] = {}
    for case in cases:
        if case.volume is not None:
            members.setdefault(case.volume, []).append(case)
    found = {}
    for name, some in members.items():
        ordered = sorted(some, key=lambda case: case.slice)
        slices = [replace(case, slice=number) for number, case in enumerate(ordered)]
        first, paths = ordered[0], tuple(case.image_path for case in ordered)
        spacing = None
        if first.slice_mm is not None and first.spacing_mm is not None:
            spacing = (first.slice_mm, *first.spacing_mm)
        whole = tuple(with_neighbours(slices, config.neighbours))
        found[name] = Volume(name, whole, paths, first.mask_path, None, spacing)
    return found
