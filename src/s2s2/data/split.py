"""Splits of a data set into train, validation and test cases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from s2s2.core.storage import read_json, write_json
from s2s2.data.dataset import Dataset
from s2s2.data.foreground import require_foreground
from s2s2.data.identity import copies
from s2s2.data.reading.manifest import PARTS
from s2s2.data.stratify import assign, part_sizes, spread
from s2s2.errors import SplitError, listed


class TrainingData(NamedTuple):
    """The cases that training may see; no test case can be opened through it.

    Args:
        train: The cases to learn from.
        validation: The cases that choose the checkpoint.
    """

    train: Dataset
    validation: Dataset


@dataclass(frozen=True)
class Split:
    """The case ids of three disjoint parts.

    Args:
        train: Case ids to learn from.
        validation: Case ids that choose the checkpoint.
        test: Case ids that are reported once.
        seed: The seed that the split was drawn with.

    Raises:
        SplitError: If a case is in two parts, or twice in one.

    Example:
        >>> Split(train=("a", "b"), validation=("c",), test=("d",)).test
        ('d',)
        >>> Split(train=("a", "b"), validation=("b",), test=())
        Traceback (most recent call last):
        ...
        s2s2.errors.SplitError: The split lists 1 case more than once: b. ...
    """

    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]
    seed: int = 0

    def __post_init__(self) -> None:
        for part in PARTS:
            object.__setattr__(self, part, tuple(getattr(self, part)))
        counts = Counter(self._all)
        twice = sorted(case_id for case_id, count in counts.items() if count > 1)
        if twice:
            raise SplitError(
                f"The split lists {len(twice)} case{'s' * (len(twice) > 1)} more than once: {listed(twice)}. "
                "Training, validation and test must not share a case: remove it from all parts but one."
            )

    @property
    def _all(self) -> tuple[str, ...]:
        return self.train + self.validation + self.test

    @classmethod
    def declared(cls, dataset: Dataset) -> Split:
        """Return the split that the manifest's column split declares.

        Raises:
            SplitError: If it declares none, or the split does not hold.
        """
        parts = dataset.declared_split
        if parts is None:
            raise SplitError(f"{dataset.root} declares no split. Give a CSV manifest with a column split.")
        split = cls(parts["train"], parts["validation"], parts["test"])
        split.check(dataset)
        return split

    @classmethod
    def load(cls, path: str | Path) -> Split:
        """Read a split that `save` wrote.

        Raises:
            SplitError: If the file is missing or corrupt, or its parts overlap.
        """
        content = read_json(path, error=SplitError)
        try:
            parts = {part: tuple(_texts(content[part])) for part in PARTS}
            seed = int(content.get("seed", 0))
        except (KeyError, TypeError, ValueError) as error:
            raise SplitError(
                f"{path} holds no split ({error!r}). Expected lists of case ids named {', '.join(PARTS)}."
            ) from error
        return cls(**parts, seed=seed)

    def save(self, path: str | Path) -> None:
        """Write the case ids of each part as JSON.

        Raises:
            StorageError: If the file cannot be written.
        """
        write_json(path, self.to_dict())

    def to_dict(self) -> dict[str, object]:
        """Return the split as plain lists."""
        return {"seed": self.seed, **{part: list(getattr(self, part)) for part in PARTS}}

    def check(self, dataset: Dataset) -> None:
        """Refuse a split that this data set cannot be trained with.

        Raises:
            SplitError: If a case id is unknown, a group is split across parts, or there
                is nothing to train with or to validate with.
        """
        self._known(dataset)
        groups: dict[str, set[str]] = {}
        for part in PARTS:
            for case_id in getattr(self, part):
                groups.setdefault(dataset.case(case_id).group, set()).add(part)
        self.keep_together(copies(case for case in dataset if case.id in set(self._all)))
        divided = sorted(group for group, parts in groups.items() if len(parts) > 1)
        if divided:
            raise SplitError(
                f"{len(divided)} group{'s are' if len(divided) > 1 else ' is'} split across parts: "
                f"{listed(divided)}. Cases of one group (patient, video) must stay together: "
                "make a new split."
            )
        for part in ("train", "validation"):
            if not getattr(self, part):
                raise SplitError(
                    f"The {part} part of the split is empty, expected at least one case of {dataset.root}. "
                    "Give it a larger share, or add data: without it no checkpoint can be chosen."
                )

    def check_foreground(self, dataset: Dataset) -> None:
        """Refuse a split with a part whose masks mark nothing.

        Raises:
            SplitError: As `require_foreground`.
        """
        for name in PARTS:
            require_foreground(dataset.subset(getattr(self, name)), name)

    def keep_together(self, copies: Iterable[Collection[str]]) -> None:
        """Refuse a split that has copies of one image in several parts.

        Args:
            copies: Ids of cases that have one image; those in no part do not matter.

        Raises:
            SplitError: If there is one; the first is named.
        """
        part_of = {case_id: part for part in PARTS for case_id in getattr(self, part)}
        for same in copies:
            where = {case_id: part_of[case_id] for case_id in same if case_id in part_of}
            if len(set(where.values())) > 1:
                places = listed([f"{case_id} ({part})" for case_id, part in where.items()])
                raise SplitError(
                    f"One image is in several parts of the split: {places}. A test image that was seen says "
                    "nothing: remove one of the files, or give the cases one group."
                )

    def training(self, dataset: Dataset) -> TrainingData:
        """Return the train and validation cases, and nothing else.

        Raises:
            SplitError: As `check`.
        """
        self.check(dataset)
        return TrainingData(dataset.subset(self.train), dataset.subset(self.validation))

    def testing(self, dataset: Dataset) -> Dataset:
        """Return the test cases.

        Raises:
            SplitError: If a case id is unknown or the test part is empty.
        """
        return self.part(dataset, "test")

    def part(self, dataset: Dataset, name: str) -> Dataset:
        """Return the cases of one part.

        Args:
            dataset: The data set that was split.
            name: train, validation or test.

        Raises:
            SplitError: If a case id is unknown or the part is empty.
        """
        self._known(dataset)
        ids = getattr(self, name)
        if not ids:
            raise SplitError(
                f"The {name} part of the split of {dataset.root} is empty. Give it a share of the cases."
            )
        return dataset.subset(ids)

    def _known(self, dataset: Dataset) -> None:
        unknown = sorted(set(self._all) - set(dataset.ids))
        if unknown:
            raise SplitError(
                f"The split names {len(unknown)} case{'s' * (len(unknown) > 1)} that {dataset.root} "
                f"does not have: {listed(unknown)}. "
                "It was made for other data: give that data, or make a new split."
            )


def divide(
    dataset: Dataset,
    *,
    fractions: tuple[float, float, float] = (0.7, 0.1, 0.2),
    counts: tuple[int, int, int] | None = None,
    seed: int = 0,
) -> Split:
    """Return the split that the manifest declares, and without one a new one from `split_by_group`.

    Raises:
        SplitError: As `Split.declared` and `split_by_group`.
    """
    if dataset.declared_split is not None:
        split = Split.declared(dataset)
        split.check_foreground(dataset)
        return split
    return split_by_group(dataset, fractions=fractions, counts=counts, seed=seed)


def split_by_group(
    dataset: Dataset,
    *,
    fractions: tuple[float, float, float] = (0.7, 0.1, 0.2),
    counts: tuple[int, int, int] | None = None,
    seed: int = 0,
) -> Split:
    """Split a data set into train, validation and test, each group whole.

    Groups are assigned one by one, the largest first, each to the part that lacks
    most cases of about this foreground size. The same data and seed give the same
    split on any machine.

    Args:
        dataset: The cases; their masks are read for the foreground size, if they have any.
        fractions: Share of the cases of train, validation and test; they add up to 1.
        counts: Cases of each part, instead of fractions; further cases are left out.
            With groups of several cases the numbers are met as well as groups allow.
        seed: Seed of the draw.

    Raises:
        SplitError: If the shares cannot be used, or there are too few groups.
    """
    wanted = part_sizes(len(dataset), fractions, counts)
    group_of = _united(dataset)
    members: dict[str, list[str]] = {}
    for case in dataset:
        members.setdefault(group_of[case.group], []).append(case.id)
    parts = sum(share > 0 for share in wanted)
    if len(members) < parts:
        raise SplitError(
            f"{dataset.root} has {len(members)} group{'s' * (len(members) != 1)} and a split needs {parts}, "
            "one a part at least. Add patients, or give fewer parts."
        )
    share = {case.id: float((dataset.mask(case) > 0).mean()) if case.mask_path else 0.0 for case in dataset}
    sizes = {group: [share[case_id] for case_id in ids] for group, ids in members.items()}
    part_of = spread(assign(sizes, (*wanted, len(dataset) - sum(wanted)), seed=seed), sizes, len(PARTS))
    train, validation, test = (
        tuple(case.id for case in dataset if part_of[group_of[case.group]] == part)
        for part in range(len(PARTS))
    )
    split = Split(train, validation, test, seed=seed)
    split.check(dataset)
    split.check_foreground(dataset)
    return split


def _united(dataset: Dataset) -> dict[str, str]:
    """Return what each group is divided as: groups that hold copies of one image stay together."""
    united = {case.group: case.group for case in dataset}
    group = {case.id: case.group for case in dataset}
    for same in copies(dataset):
        names = {united[group[case_id]] for case_id in same}
        united = {name: min(names) if root in names else root for name, root in united.items()}
    return united


def _texts(values: object) -> list[str]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise TypeError(f"expected a list of case ids, got {values!r:.60}")
    return values
