"""Folds of the training groups: who learns from which cases, and who judges which."""

from __future__ import annotations

from dataclasses import dataclass

from s2s2.data.dataset import Dataset
from s2s2.data.stratify import assign
from s2s2.errors import AuditError

VALIDATION = 0.15
"""Share of a fold's own training cases that chooses its best network."""


@dataclass(frozen=True)
class Fold:
    """The case ids of one fold.

    Args:
        train: Cases that its segmenter learns from.
        validation: Cases that choose the segmenter's best weights. Of other groups than `train`,
            unless there is one group alone to learn from: then the same cases.
        judged: Cases that it judges; no group of theirs is in `train` or `validation`.
    """

    train: tuple[str, ...]
    validation: tuple[str, ...]
    judged: tuple[str, ...]


def make_folds(train: Dataset, folds: int, seed: int) -> tuple[Fold, ...]:
    """Cut training cases into folds without tearing a group, balanced by foreground.

    Args:
        train: The training cases.
        folds: How many; no more than there are groups.
        seed: Of the draw.

    Raises:
        AuditError: If all cases are of one group.
    """
    sizes: dict[str, list[float]] = {}
    for case in train:
        sizes.setdefault(case.group, []).append(float((train.mask(case) > 0).mean()))
    if len(sizes) < 2:
        raise AuditError(
            f"The {len(train)} training cases of {train.root} are of {len(sizes)} group, and a judge must "
            "not have seen the patient whom it judges: two groups are needed at least. Name the groups by "
            "--groups, or train on more patients."
        )
    count = min(folds, len(sizes))
    share, more = divmod(len(train), count)
    part_of = assign(sizes, [share + (place < more) for place in range(count)], seed=seed)
    return tuple(_fold(train, sizes, part_of, number, seed) for number in range(count))


def _fold(
    train: Dataset, sizes: dict[str, list[float]], part_of: dict[str, int], number: int, seed: int
) -> Fold:
    judged = tuple(case.id for case in train if part_of[case.group] == number)
    learnt = {group: values for group, values in sizes.items() if part_of[group] != number}
    cases = sum(map(len, learnt.values()))
    if len(learnt) < 2:
        ids = tuple(case.id for case in train if case.group in learnt)
        return Fold(ids, ids, judged)
    held = max(1, round(VALIDATION * cases))
    chooses = assign(learnt, (cases - held, held), seed=seed)
    return Fold(
        tuple(case.id for case in train if chooses.get(case.group) == 0),
        tuple(case.id for case in train if chooses.get(case.group) == 1),
        judged,
    )
