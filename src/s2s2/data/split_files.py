"""Splits from files: split.json, where a volume may stand for its slices, and the folds of nnU-Net."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from s2s2.core.storage import parse_json
from s2s2.data.dataset import Dataset
from s2s2.data.reading.manifest import PARTS
from s2s2.data.split import Split, split_by_group
from s2s2.errors import SplitError, listed


def load_split(path: str | Path, dataset: Dataset) -> Split:
    """Read a split.json of a data set; the name of a volume means all its slices.

    Raises:
        SplitError: As `Split.load`; of the folds of nnU-Net the command that reads them is named.
    """
    if isinstance(parse_json(path, error=SplitError)[0], list):
        raise SplitError(
            f"{path} holds a list, as nnU-Net's splits_final.json does, expected a split.json. Make one of a "
            f"fold with `s2s2 split {dataset.root} --nnunet {path} --fold 0 --output split.json`."
        )
    split = Split.load(path)
    train, validation, test = (cases_named(getattr(split, part), dataset) for part in PARTS)
    return Split(train, validation, test, seed=split.seed)


def cases_named(names: Iterable[str], dataset: Dataset) -> tuple[str, ...]:
    """Return ids of cases: of a volume those of its slices in the data set; other names stay as they are."""
    slices = _slices(dataset)
    return tuple(case_id for name in names for case_id in slices.get(name, (name,)))


def _slices(dataset: Dataset) -> dict[str, tuple[str, ...]]:
    """Return the ids of the slices of each volume; no case has the name of one of these."""
    ids = set(dataset.ids)
    return {
        volume.id: tuple(case.id for case in volume.cases if case.id in ids)
        for volume in dataset.volumes
        if not volume.is_flat and volume.id not in ids
    }


@dataclass(frozen=True)
class Fold:
    """One fold of nnU-Net's splits_final.json, for one data set.

    nnU-Net reports a fold on its validation cases and chooses no network by them. So they are the test
    part, and the validation part is drawn from the training cases, by group. Where the data set has cases
    in none of the folds, these are the test part, and the fold stays as it is.

    Args:
        path: The file.
        number: Of the fold, from 0.
        train: Ids of its training cases.
        validation: Ids of its validation cases.
        outside: Ids of the cases that are in no fold.
    """

    path: Path
    number: int
    train: tuple[str, ...]
    validation: tuple[str, ...]
    outside: tuple[str, ...]

    @classmethod
    def read(cls, path: str | Path, number: int, dataset: Dataset) -> Fold:
        """Read a fold; names are those of volumes or of flat images.

        Raises:
            SplitError: If the file holds no folds, not so many, or names that the data set does not have.
        """
        folds = _folds(path)
        if not 0 <= number < len(folds):
            raise SplitError(
                f"{path} has {len(folds)} folds, numbered from 0, and fold {number} is asked for. Give "
                "another --fold."
            )
        train, validation = folds[number]
        named = {name for fold in folds for part in fold for name in part}
        mentioned = set(cases_named(named, dataset))
        if unknown := sorted(mentioned - set(dataset.ids)):
            raise SplitError(
                f"{path} names {len(unknown)} case{'s' * (len(unknown) > 1)} that {dataset.root} does not "
                f"have: {listed(unknown)}. Give the data set that it was made for."
            )
        outside = tuple(case_id for case_id in dataset.ids if case_id not in mentioned)
        return cls(Path(path), number, cases_named(train, dataset), cases_named(validation, dataset), outside)

    def split(self, dataset: Dataset, *, share: float, seed: int = 0) -> Split:
        """Return the fold as a split.

        Args:
            dataset: The data set that it was read for.
            share: Of the training cases that become the validation part, where no case is outside.
            seed: Of that draw.

        Raises:
            SplitError: As `Split.check` and `split_by_group`.
        """
        if self.outside:
            split = Split(self.train, self.validation, self.outside, seed=seed)
        else:
            drawn = split_by_group(dataset.subset(self.train), fractions=(1 - share, share, 0), seed=seed)
            split = replace(drawn, test=self.validation)
        split.check(dataset)
        split.check_foreground(dataset)
        return split

    def __str__(self) -> str:
        where = f"as fold {self.number} of {self.path.name} says"
        if self.outside:
            return f"{where}; test are the {len(self.outside)} cases that are in no fold"
        return f"{where}; test are its validation cases, and validation is drawn from its training cases"


def _folds(path: str | Path) -> list[tuple[list[str], list[str]]]:
    """Return the names of the training and validation cases of each fold."""
    content, _ = parse_json(path, error=SplitError)
    try:
        return [(_names(fold["train"]), _names(fold["val"])) for fold in content]
    except (KeyError, TypeError) as error:
        raise SplitError(
            f"{path} holds no folds of nnU-Net ({error!r}). Expected a list of folds, each with the names of "
            'its cases: [{"train": ["a", "b"], "val": ["c"]}].'
        ) from error


def _names(values: Any) -> list[str]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise TypeError(f"expected a list of names, got {values!r:.60}")
    return values
