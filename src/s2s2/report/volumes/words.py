"""Words for volumes: what a case is called, how many there are, and what was done to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from s2s2.core.types import Image
from s2s2.report.numbers import count

if TYPE_CHECKING:
    from s2s2.data.case import Case
    from s2s2.data.checking.report import CheckReport
    from s2s2.data.dataset import Dataset


@dataclass(frozen=True, slots=True)
class Nouns:
    """What the page calls what is scored, and what must not be split.

    Args:
        case: One score is of one of these.
        group: Of the same of these must be in one part.
    """

    case: str = "case"
    group: str = "group"

    @property
    def volumes(self) -> bool:
        """Whether what is scored is volumes."""
        return self.case == "volume"

    def sized(self, cases: int, groups: int) -> str:
        """Return numbers of both.

        Example:
            >>> Nouns("volume", "patient").sized(20, 10)
            '20 volumes of 10 patients'
        """
        return f"{count(cases, self.case)} of {count(groups, self.group)}"


def nouns_of(datasets: Iterable[Dataset]) -> Nouns:
    """Return what to call the cases of data sets: volumes where none of them is a flat image.

    Their groups are called patients where a name of one is known; else each volume is its own group.
    """
    volumes = [volume for dataset in datasets for volume in dataset.volumes]
    if not volumes or any(volume.is_flat for volume in volumes):
        return Nouns()
    known = any(volume.group != volume.id for volume in volumes)
    return Nouns("volume", "patient" if known else "group")


def counted(dataset: Dataset, *, groups: bool = True) -> str:
    """Return how many cases a data set has, of flat images as a mere number.

    Args:
        dataset: Slices of volumes, or flat images.
        groups: Whether the patients are counted too, where they are known.

    Returns:
        Such as "322 slices of 34 volumes of 17 patients".
    """
    nouns = nouns_of([dataset])
    if not nouns.volumes:
        return str(len(dataset))
    said = f"{count(len(dataset), 'slice')} of {count(len(dataset.volumes), 'volume')}"
    if not groups or nouns.group != "patient":
        return said
    return f"{said} of {count(len({volume.group for volume in dataset.volumes}), nouns.group)}"


def place(number: int, total: int) -> str:
    """Return which slice of how many, counted from 1 as viewers do.

    Example:
        >>> place(33, 80)
        'slice 34 of 80'
    """
    return f"slice {number + 1} of {total}"


def called(dataset: Dataset, case: Case) -> str:
    """Return a case as people read it: the id of a flat image, the volume and slice of another."""
    total = next((len(volume.cases) for volume in dataset.volumes if volume.id == case.volume), 0)
    return f"{case.volume}, {place(case.slice, total)}" if case.volume is not None else case.id


def own_channels(dataset: Dataset, image: Image) -> Image:
    """Return the channels of a slice itself, without those of its neighbours.

    Shape:
        - image: (channel, height, width).
    """
    near = dataset.cut.config.neighbours
    own = len(image) // (2 * near + 1)
    return image[near * own : (near + 1) * own] if near and own else image


@dataclass(frozen=True, slots=True)
class VolumeRow:
    """How the volumes of one domain were read, as text."""

    domain: str
    home: bool
    volumes: str
    plane: str
    spacing: str
    intensities: str


def volume_rows(checks: Mapping[str, CheckReport | None], home: str | None) -> tuple[VolumeRow, ...]:
    """Return how volumes were cut and scaled, from what the check of each domain's source said.

    Args:
        checks: What the check found, by domain; of flat images it says nothing of volumes.
        home: The domain that was trained on.
    """
    rows = []
    for domain, check in checks.items():
        said = None if check is None else check.summary.get("volumes")
        if isinstance(said, Mapping):
            volumes, *rest = (str(said.get(key, "")) for key in ("count", "plane", "spacing", "intensities"))
            rows.append(VolumeRow(domain, domain == home, volumes, *rest))
    return tuple(rows)
