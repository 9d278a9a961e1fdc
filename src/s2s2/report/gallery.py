"""Pictures of the run: the stack that the network learnt from, and what it then predicted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from s2s2.pictures import displayed, painted
from s2s2.report.elements import Panel
from s2s2.report.numbers import plain, signed
from s2s2.report.pictures import outlines
from s2s2.run.results import Results

if TYPE_CHECKING:
    import pandas as pd

    from s2s2.data.case import Case
    from s2s2.data.dataset import Dataset
    from s2s2.evaluation.folder import PredictionFolder
    from s2s2.stack import Stack

T = TypeVar("T")
_SIDE = 192
"""Longest side of a picture of the stack in pixels."""
Folders = Mapping[str, "PredictionFolder"]


@dataclass(frozen=True, slots=True)
class StackRow:
    """A training case, its mask and some copies of its stack."""

    case: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """One test case in one or two arms.

    Args:
        case: Its id.
        why: How it was chosen.
        panels: One an arm.
    """

    case: str
    why: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class DomainExamples:
    """The examples of one domain, by how they were chosen."""

    domain: str
    by_gain: tuple[Example, ...]
    by_score: tuple[Example, ...]


def stack_rows(train: Dataset, stack: Stack, *, cases: int = 4, copies: int = 6) -> tuple[StackRow, ...]:
    """Show some training cases with their mask and the first copies of their stack.

    The cases are spread evenly over the order of foreground size, smallest to largest.

    Args:
        train: Training cases on the working grid.
        stack: Their stack.
        cases: How many cases.
        copies: How many copies a case, at most.
    """
    held = set(stack.ids)
    known = [case for case in train.cases if case.id in held and case.mask_path is not None]
    sizes = {case.id: float((train.mask(case) > 0).mean()) for case in known}
    ranked = sorted(known, key=lambda case: (sizes[case.id], case.id))
    return tuple(
        StackRow(case.id, _stack_panels(train, stack, case, min(copies, stack.depth)))
        for case in spread(ranked, cases)
    )


def spread(items: list[T], count: int) -> list[T]:
    """Return `count` items from the middle of as many equal parts.

    Example:
        >>> spread(list(range(10)), 3), spread([1, 2], 5)
        ([1, 5, 8], [1, 2])
    """
    if len(items) <= count:
        return items
    return [items[int((index + 0.5) * len(items) / count)] for index in range(count)]


def _stack_panels(train: Dataset, stack: Stack, case: Case, copies: int) -> tuple[Panel, ...]:
    mask, image = train.mask(case), displayed(train.image(case), _SIDE)
    shown = painted(mask, train.class_map.colours, _SIDE)
    return (
        Panel.drawn(image, f"Training image {case.id} with the border of its mask", "image", truth=mask),
        Panel.drawn(shown, f"Mask of training image {case.id}", "mask", flat=True),
        *(
            Panel.drawn(
                displayed(stack.copy(case.id, index), _SIDE),
                f"Synthetic copy {index} of the stack of {case.id}",
                f"copy {index}",
            )
            for index in range(copies)
        ),
    )


def examples(run: Results, dataset: Dataset, domain: str, *, side: int = 288) -> DomainExamples:
    """Show the best, median and worst cases of a domain, of one seed, in both arms.

    Chosen by the paired difference main arm minus reference, and by the main arm's
    own Dice. Case and numbers are those of the first seed, whose predictions are shown.

    Args:
        run: The results of a run, with its predictions below ``arms/``.
        dataset: The domain's test cases, on their own grid.
        domain: Its name.
        side: Longest side of a picture in pixels.
    """
    arms = [arm for arm in (run.reference, run.main) if arm is not None]
    drawn = {arm: run.folder.training(run.specs[arm], run.seeds[0]).predictions(domain) for arm in arms}
    table = _predicted(run, dataset, domain, drawn)
    if table.empty:
        return DomainExamples(domain, (), ())

    def show(case_id: str, why: str) -> Example:
        dice = {arm: float(table[arm][case_id]) for arm in arms}
        return _example(dataset, dataset.case(case_id), why, dice, drawn, side)

    own = _picks(table[run.main], ("Best", "Median", "Worst"))
    by_score = tuple(show(case, f"{word} Dice of {run.main}") for word, case in own)
    if run.reference is None:
        return DomainExamples(domain, (), by_score)
    gains = table[run.main] - table[run.reference]
    words = _gain_words(gains)
    by_gain = tuple(
        show(case, f"{word} ({signed(float(gains[case]))})") for word, case in _picks(gains, words)
    )
    return DomainExamples(domain, by_gain, by_score)


def _predicted(run: Results, dataset: Dataset, domain: str, folders: Folders) -> pd.DataFrame:
    """Return the Dice of every case (row) that each arm (column) has a prediction of."""
    rows = run.case_values()
    rows = rows[(rows["domain"] == domain) & (rows["seed"] == run.seeds[0]) & rows["case"].isin(dataset.ids)]
    table = (
        rows.pivot_table(index="case", columns="arm", values="dice").reindex(columns=list(folders)).dropna()
    )
    made = [all(each.label_map(str(case)).is_file() for each in folders.values()) for case in table.index]
    return table[made]


def _gain_words(gains: pd.Series[float]) -> tuple[str, str, str]:
    # Where nothing got worse, "Largest loss" would be untrue.
    best = "Largest gain" if gains.max() > 0 else "Smallest loss"
    worst = "Largest loss" if gains.min() < 0 else "Smallest gain"
    return best, "Median difference", worst


def _picks(values: pd.Series[float], words: tuple[str, str, str]) -> list[tuple[str, str]]:
    order = [str(case) for case in values.sort_values(ascending=False, kind="stable").index]
    ranks = {0: words[0], (len(order) - 1) // 2: words[1], len(order) - 1: words[2]}
    if len(order) < 3:
        ranks = {0: words[0]} if len(order) == 1 else {0: words[0], 1: words[2]}
    return [(word, order[rank]) for rank, word in sorted(ranks.items())]


def _example(
    dataset: Dataset,
    case: Case,
    why: str,
    dice: dict[str, float],
    folders: Folders,
    side: int,
) -> Example:
    alt = f"{case.id} from {case.domain}: borders of the mask and of the prediction of "
    panel = Panel.drawn(displayed(dataset.image(case), side), alt, truth=dataset.original_mask(case))
    panels = (
        replace(
            panel,
            alt=alt + arm,
            label=arm,
            score=plain(dice[arm], 2),
            prediction=outlines(folder.read(case.id).astype(np.uint8), (panel.height, panel.width)),
        )
        for arm, folder in folders.items()
    )
    return Example(case.id, why, tuple(panels))
