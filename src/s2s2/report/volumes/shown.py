"""Slices of a volume with the borders of its mask and of what each arm predicted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from s2s2.core.inputs import Inputs
from s2s2.core.types import Floats, Image, LabelMap, RawLabels
from s2s2.data.grid import resize_image, working_shape
from s2s2.data.volumes.masks import volume_mask
from s2s2.pictures import displayed, grey_limits
from s2s2.report.elements import Panel, View
from s2s2.report.numbers import plain
from s2s2.report.pictures import outlines
from s2s2.report.volumes.choice import MOST_STOPS, extent, fullest, slice_dice, stops, worst
from s2s2.report.volumes.words import own_channels, place

if TYPE_CHECKING:
    from s2s2.data.dataset import Dataset
    from s2s2.data.volumes.volume import Volume
    from s2s2.evaluation.folder import PredictionFolder


@dataclass(frozen=True, slots=True)
class Viewer:
    """A volume that is gone through with a slider.

    Args:
        volume: Its id.
        why: How it was chosen.
        views: Its slices from first to last.
        start: Which of them is shown first.
    """

    volume: str
    why: str
    views: tuple[View, ...]
    start: int


@dataclass(frozen=True)
class ShownVolume:
    """A volume, its mask and its predictions, and the slices that are shown of it.

    Args:
        dataset: The data set on the files' grid.
        volume: One of its volumes.
        mask: Class ids.
        found: Class ids that each arm predicted; the last arm is the main one.
        side: Longer side of a picture in pixels at most.
        most: Slices that are shown at most.

    Shape:
        - mask: (slice, row, column).
        - found: (slice, row, column) each.
    """

    dataset: Dataset
    volume: Volume
    mask: LabelMap
    found: Mapping[str, RawLabels]
    side: int = 256
    most: int = MOST_STOPS

    @classmethod
    def read(
        cls, dataset: Dataset, volume: Volume, folders: Mapping[str, PredictionFolder], side: int, most: int
    ) -> ShownVolume:
        """Read mask and predictions of a volume.

        Raises:
            DataError: If the mask cannot be read.
            EvaluationError: If a prediction cannot be read or lies on another grid.
        """
        found = {arm: folder.read_volume(volume) for arm, folder in folders.items()}
        return cls(dataset, volume, volume_mask(dataset, volume), found, side, most)

    @property
    def main(self) -> str:
        """The arm by which the worst slice is chosen."""
        return list(self.found)[-1]

    @cached_property
    def dice(self) -> dict[str, Floats]:
        """The Dice of each slice in each arm.

        Raises:
            EvaluationError: If a prediction holds a class that the data set has not.
            ShapeError: If a prediction has another shape than the mask.
        """
        classes = len(self.dataset.class_map)
        return {arm: slice_dice(labels, self.mask, classes) for arm, labels in self.found.items()}

    @cached_property
    def largest(self) -> int:
        """The slice where the mask is largest; a prediction where the mask is empty."""
        own = extent(self.mask)
        return fullest(
            own if own.any() else np.maximum.reduce([extent(each) for each in self.found.values()])
        )

    @cached_property
    def worst(self) -> int | None:
        """The slice with the lowest Dice of the main arm; None where there is nothing to find or found."""
        return worst(self.dice[self.main], extent(self.mask) + extent(self.found[self.main]))

    @cached_property
    def stops(self) -> tuple[int, ...]:
        """The slices that are shown, the largest and the worst among them."""
        held = np.logical_or.reduce([extent(each) > 0 for each in (self.mask, *self.found.values())])
        always = [self.largest] if self.worst is None else [self.largest, self.worst]
        return stops(held, always, self.most)

    @cached_property
    def slices(self) -> dict[int, View]:
        """All slices that are shown, in grey of one scale."""
        images = {number: self._image(number) for number in self.stops}
        limits = grey_limits(np.stack([image[0] for image in images.values()]))
        return {number: self._view(number, image, limits) for number, image in images.items()}

    def views(self) -> tuple[View, ...]:
        """Return the slice where the mask is largest and the worst one, which may be the same."""
        total = len(self.mask)
        largest = "where the mask is largest"
        if not self.mask.any():
            largest = "where most was predicted; the mask is empty"
        lowest = f"with the lowest Dice of {self.main}"
        chosen = {self.largest: [largest]}
        if self.worst is not None:
            chosen.setdefault(self.worst, []).append(lowest)
        return tuple(
            replace(self.slices[number], words=f"{place(number, total)}, {' and '.join(words)}")
            for number, words in chosen.items()
        )

    def viewer(self, why: str) -> Viewer:
        """Return the slices to go through, beginning where the mask is largest."""
        return Viewer(self.volume.id, why, tuple(self.slices.values()), self.stops.index(self.largest))

    def _image(self, number: int) -> Image:
        """Read a slice, in its true proportions."""
        image = own_channels(self.dataset, self.dataset.image(self.volume.cases[number]))
        return resize_image(image, true_shape(image.shape[1:], self.volume.spacing_mm, self.side))

    def _view(self, number: int, image: Image, limits: tuple[float, float]) -> View:
        where = f"{self.volume.id} from {self.volume.domain}, {place(number, len(self.mask))}: "
        panel = Panel.drawn(displayed(image, limits=limits), where, truth=self.mask[number])
        panels = tuple(
            replace(
                panel,
                alt=f"{where}borders of the mask and of the prediction of {arm}",
                label=arm,
                score=plain(float(self.dice[arm][number]), 2),
                prediction=outlines(labels[number].astype(np.uint8), (panel.height, panel.width)),
            )
            for arm, labels in self.found.items()
        )
        # Names of users stay out of what refers to a picture.
        key = Inputs({"domain": self.volume.domain, "volume": self.volume.id, "slice": number}).digest[:12]
        return View(panels, place(number, len(self.mask)), f"slice-{key}")


def true_shape(shape: tuple[int, ...], spacing_mm: tuple[float, ...] | None, side: int) -> tuple[int, int]:
    """Return height and width of a slice in the proportions of the patient.

    Args:
        shape: Rows and columns.
        spacing_mm: Distance of slices, rows and columns in mm, or None.
        side: Longer side in pixels at most.

    Example:
        >>> true_shape((10, 40), (1.0, 4.0, 1.0), 100), true_shape((800, 400), None, 100)
        ((40, 40), (100, 50))
    """
    height, width = shape
    if spacing_mm is not None:
        finest = min(spacing_mm[-2:])
        height, width = (round(n * s / finest) for n, s in zip(shape, spacing_mm[-2:], strict=True))
    return working_shape((height, width), min(side, max(height, width)))
