"""Pictures of the run: the stack that the network learnt from, and what it then predicted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from s2s2.pictures import displayed, painted
from s2s2.report.elements import Panel, View
from s2s2.report.numbers import plain, signed
from s2s2.report.pictures import outlines
from s2s2.report.volumes.choice import MOST_STOPS
from s2s2.report.volumes.shown import ShownVolume, Viewer
from s2s2.report.volumes.words import called, own_channels
from s2s2.run.results import Results

if TYPE_CHECKING:
    import pandas as pd

    from s2s2.data.case import Case
    from s2s2.data.dataset import Dataset
    from s2s2.data.volumes.volume import Volume
    from s2s2.evaluation.folder import PredictionFolder
    from s2s2.stack import Stack

T = TypeVar("T")
_SIDE = 192
"""Longest side of a picture of the stack in pixels."""
_SLICE_SIDE = 256
"""Longest side of a slice in pixels, of which the page holds many."""
Folders = Mapping[str, "PredictionFolder"]


@dataclass(frozen=True, slots=True)
class StackRow:
    """A training case, its mask and some copies of its stack.

    Args:
        case: Its id.
        panels: The image, the mask and the copies.
        words: The volume and the slice; empty for a flat image.
    """

    case: str
    panels: tuple[Panel, ...]
    words: str = ""


@dataclass(frozen=True, slots=True)
class Example:
    """One test case in one or two arms.

    Args:
        case: Its id, of a volume the volume's.
        why: How it was chosen.
        views: The image, or slices of the volume.
        scores: Dice of the whole volume in each arm as text; empty for a flat image.
    """

    case: str
    why: str
    views: tuple[View, ...]
    scores: str = ""

    @property
    def panels(self) -> tuple[Panel, ...]:
        """The first view, one panel an arm."""
        return self.views[0].panels


@dataclass(frozen=True, slots=True)
class DomainExamples:
    """The examples of one domain, by how they were chosen, and the volumes among them to go through."""

    domain: str
    by_gain: tuple[Example, ...]
    by_score: tuple[Example, ...]
    viewers: tuple[Viewer, ...] = ()


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
        StackRow(
            case.id,
            _stack_panels(train, stack, case, min(copies, stack.depth)),
            "" if case.volume is None else called(train, case),
        )
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
    mask, image = train.mask(case), displayed(own_channels(train, train.image(case)), _SIDE)
    name = called(train, case)
    shown = painted(mask, train.class_map.colours, _SIDE)
    return (
        Panel.drawn(image, f"Training image {name} with the border of its mask", "image", truth=mask),
        Panel.drawn(shown, f"Mask of training image {name}", "mask", flat=True),
        *(
            Panel.drawn(
                displayed(own_channels(train, stack.copy(case.id, index)), _SIDE),
                f"Synthetic copy {index} of the stack of {name}",
                f"copy {index}",
            )
            for index in range(copies)
        ),
    )


def examples(
    run: Results, dataset: Dataset, domain: str, *, side: int = 288, most: int = MOST_STOPS
) -> DomainExamples:
    """Show the best, median and worst cases of a domain, of one seed, in both arms.

    Chosen by the paired difference main arm minus reference, and by the main arm's
    own Dice. Case and numbers are those of the first seed, whose predictions are shown.

    Args:
        run: The results of a run, with its predictions below ``arms/``.
        dataset: The domain's test cases, on their own grid.
        domain: Its name.
        side: Longest side of a picture in pixels.
        most: Slices of a volume to go through at most.
    """
    arms = [arm for arm in (run.reference, run.main) if arm is not None]
    drawn = {arm: run.folder.training(run.specs[arm], run.seeds[0]).predictions(domain) for arm in arms}
    volumes = {volume.id: volume for volume in dataset.volumes}
    table = _predicted(run, volumes, domain, drawn)
    if table.empty:
        return DomainExamples(domain, (), ())
    by_gain, by_score = _chosen(run, table)
    gallery = _Gallery(dataset, drawn, table, side, most)
    for case, why in (*by_gain, *by_score):
        gallery.choose(volumes[case], why)
    return DomainExamples(
        domain,
        tuple(gallery.example(volumes[case], why) for case, why in by_gain),
        tuple(gallery.example(volumes[case], why) for case, why in by_score),
        gallery.viewers(),
    )


def _predicted(run: Results, volumes: Mapping[str, Volume], domain: str, folders: Folders) -> pd.DataFrame:
    """Return the Dice of every case (row) that each arm (column) has a prediction of."""
    rows = run.case_values()
    rows = rows[
        (rows["domain"] == domain) & (rows["seed"] == run.seeds[0]) & rows["case"].isin(list(volumes))
    ]
    table = (
        rows.pivot_table(index="case", columns="arm", values="dice").reindex(columns=list(folders)).dropna()
    )
    made = [_is_predicted(volumes[str(case)], folders) for case in table.index]
    return table[made]


def _is_predicted(volume: Volume, folders: Folders) -> bool:
    paths = (
        each.label_map(output.id, output.suffix) for each in folders.values() for output in volume.outputs
    )
    return all(path.is_file() for path in paths)


Chosen = list[tuple[str, str]]
"""The id of a case, and how it was chosen."""


def _chosen(run: Results, table: pd.DataFrame) -> tuple[Chosen, Chosen]:
    """Choose by the difference between the arms, where there are two, and by the main arm's Dice."""
    words = ("Best", "Median", "Worst")
    by_score = [(case, f"{word} Dice of {run.main}") for word, case in _picks(table[run.main], words)]
    if run.reference is None:
        return [], by_score
    gains = table[run.main] - table[run.reference]
    picks = _picks(gains, _gain_words(gains))
    return [(case, f"{word} ({signed(float(gains[case]))})") for word, case in picks], by_score


class _Gallery:
    """Draws examples; a volume that was chosen twice is read once."""

    def __init__(self, dataset: Dataset, folders: Folders, table: pd.DataFrame, side: int, most: int) -> None:
        self.dataset, self.folders, self.table = dataset, folders, table
        self.side, self.most = side, most
        self._reasons: dict[str, list[str]] = {}
        self._drawn: dict[str, tuple[tuple[View, ...], Viewer]] = {}
        self._placed: set[str] = set()

    def choose(self, volume: Volume, why: str) -> None:
        """Take note of why a case is shown."""
        self._reasons.setdefault(volume.id, []).append(why)

    def example(self, volume: Volume, why: str) -> Example:
        """Draw a case."""
        dice = {arm: float(self.table[arm][volume.id]) for arm in self.folders}
        if volume.is_flat:
            return _example(self.dataset, volume.cases[0], why, dice, self.folders, self.side)
        views, _ = self._volume(volume)
        scores = ", ".join(f"{arm} {plain(value, 2)}" for arm, value in dice.items())
        return Example(volume.id, why, self._once(views), scores)

    def viewers(self) -> tuple[Viewer, ...]:
        """Return the volumes to go through, in the order in which they were drawn."""
        return tuple(replace(each, views=self._once(each.views)) for _, each in self._drawn.values())

    def _volume(self, volume: Volume) -> tuple[tuple[View, ...], Viewer]:
        # What is kept is pictures: label maps of six large volumes would fill the memory.
        if volume.id not in self._drawn:
            side = min(self.side, _SLICE_SIDE)
            shown = ShownVolume.read(self.dataset, volume, self.folders, side, self.most)
            why = "; ".join(self._reasons[volume.id])
            self._drawn[volume.id] = shown.views(), shown.viewer(why)
        return self._drawn[volume.id]

    def _once(self, views: tuple[View, ...]) -> tuple[View, ...]:
        """Mark the views whose picture is not on the page yet."""
        marked = tuple(replace(view, first=view.key not in self._placed) for view in views)
        self._placed.update(view.key for view in views)
        return marked


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
    return Example(case.id, why, (View(tuple(panels)),))
