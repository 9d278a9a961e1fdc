"""Data check: everything that is wrong with a data set, found in one pass.

Every file is decoded once. Each rule reads what was found and reports its problems; no
rule stops the others. An error would break training; a warning needs a second look.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from s2s2.core.progress import Count
from s2s2.data.checking.duplicates import duplicates
from s2s2.data.checking.report import CheckReport, summarise
from s2s2.data.checking.rules import RULES, Evidence
from s2s2.data.checking.survey import Surveyed, survey
from s2s2.data.checking.volumes import volume_problems, volume_summary
from s2s2.data.classes import ClassMap
from s2s2.data.problems import Problem
from s2s2.data.reading.layouts import Found, discover
from s2s2.data.reading.manifest import PARTS
from s2s2.data.split import Split
from s2s2.data.volumes.config import VolumeConfig
from s2s2.errors import DataError


def inspect(
    path: str | Path,
    *,
    groups: str | Path | None = None,
    domain: str | None = None,
    class_map: ClassMap | None = None,
    channels: int | None = None,
    masks: bool = True,
    split: Split | None = None,
    progress: Count | None = None,
    volumes: VolumeConfig | None = None,
    cutting: Count | None = None,
    dataset: str | None = None,
) -> CheckReport:
    """Check a data set and report everything that is wrong with it.

    Args:
        path: See `discover`.
        groups: A CSV file (case,group) or a regular expression with one group.
        domain: Name of the site; default: the folder's name.
        class_map: Meaning of the mask values; default: declared, else inferred.
        channels: Number of channels that images will be read with.
        masks: Whether there must be masks.
        split: A split to search for duplicates across; default: the one of the manifest.
        progress: Called with the number of cases done and of all cases.
        volumes: How volumes are cut.
        cutting: Called with the number of volumes that are cut and of all volumes.
        dataset: Name of a public data set, see `discover`.

    Returns:
        Problems and summary; `CheckReport.ok` says whether training would work.

    Raises:
        DataError: If there is no data set at all at this path.
    """
    found = discover(
        path,
        groups=groups,
        domain=domain,
        masks_required=masks,
        volumes=volumes,
        progress=cutting,
        dataset=dataset,
    )
    surveyed = survey(found.cases, progress)
    problems = [*found.problems, *volume_problems(found)]
    try:
        class_map = class_map or (_find_class_map(found, surveyed) if masks else None)
    except DataError as error:
        problems.append(Problem("error", "class-map", str(path), str(error)))
    surveyed = _read_as(surveyed, class_map)
    seen = Evidence(found, surveyed, class_map, channels)
    problems += [problem for rule in RULES for problem in rule(seen)]
    problems += duplicates(surveyed, _parts(found, split))
    return CheckReport(
        root=Path(path),
        problems=tuple(sorted(problems, key=lambda problem: problem.level)),
        summary={**summarise(surveyed, class_map), "volumes": volume_summary(found)},
        digests={one.case.id: one.digest for one in surveyed if one.digest},
    )


def _read_as(surveyed: Sequence[Surveyed], class_map: ClassMap | None) -> list[Surveyed]:
    """Return the same, with the levels of palette files as the class map reads them."""
    palettes = class_map.palettes if class_map is not None else None
    return [
        one if one.levels is None else replace(one, levels=one.levels.read_as(palettes)) for one in surveyed
    ]


def _find_class_map(found: Found, surveyed: Sequence[Surveyed]) -> ClassMap:
    levels = [one.levels for one in surveyed if one.levels is not None]
    class_map = found.class_map or ClassMap.declared(found.root)
    if class_map is None and not levels:
        raise DataError("no mask can be read.")
    return class_map or ClassMap.from_levels(levels)


def _parts(found: Found, split: Split | None) -> dict[str, str]:
    if split is None:
        return dict(found.declared)
    return {case_id: part for part in PARTS for case_id in getattr(split, part)}
