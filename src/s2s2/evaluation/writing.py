"""Writing of predictions: a flat image when it is predicted, a volume when its last slice is there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from s2s2.core.types import LabelMap, RawLabels, Vectors
from s2s2.data.case import Case
from s2s2.data.classes import ClassMap
from s2s2.data.dataset import Dataset
from s2s2.data.volumes.volume import Volume
from s2s2.evaluation.components import keep_largest
from s2s2.evaluation.folder import PredictionFolder, quantised
from s2s2.pictures import overlay


@dataclass
class _Gathered:
    """A volume of which some slices are predicted."""

    volume: Volume
    labels: LabelMap
    pages: RawLabels | None
    left: set[int]


@dataclass
class Writer:
    """Writes what a network found.

    Args:
        folder: Where to.
        class_map: The classes of the network.
        native: The images on their own grid, to draw overlays on; None draws none.
        probabilities: Whether the probability of each class is written too.
        largest: Ids of classes of which the largest connected region alone is kept.
        dicom_seg: Whether the label maps of DICOM series are written as DICOM-SEG.
    """

    folder: PredictionFolder
    class_map: ClassMap
    native: Dataset | None
    probabilities: bool
    largest: tuple[int, ...] = ()
    dicom_seg: bool = False
    written: list[str] = field(default_factory=list)
    _outputs: dict[str, Volume] = field(default_factory=dict)
    _gathered: dict[str, _Gathered] = field(default_factory=dict)
    _dropped: set[str] = field(default_factory=set)

    def outputs(self, volumes: Iterable[Volume]) -> list[Volume]:
        """Return what is written in a file each, in the format that is asked for."""
        found = []
        for output in (each for volume in volumes for each in volume.outputs):
            is_series = output.grid is not None and output.grid.format == "dicom"
            found.append(output.written_as("dicom-seg") if is_series and self.dicom_seg else output)
        return found

    def path(self, output: Volume) -> Path:
        """Return the file of a label map."""
        return self.folder.label_map(output.id, output.suffix)

    def holds(self, output: Volume, shape: tuple[int, int]) -> bool:
        """Say whether an image or a volume was predicted before, with all that is asked for now."""
        wanted = {"probabilities": self.probabilities, "overlay": self.native is not None}
        if output.grid is not None:
            return self.folder.holds_volume(output, **wanted)
        return self.folder.holds(output.id, shape, **wanted)

    def expect(self, output: Volume) -> None:
        """Take note of what the slices to come belong to."""
        self._outputs.update((case.id, output) for case in output.cases)

    def drop(self, case: Case) -> Volume:
        """Give up the volume of a slice that cannot be read, and return it."""
        output = self._outputs[case.id]
        self._gathered.pop(output.id, None)
        self._dropped.add(output.id)
        return output

    def add(self, case: Case, scores: Vectors) -> None:
        """Take the probabilities of a slice or of a flat image.

        Args:
            case: What was predicted.
            scores: Of shape (class, height, width), on its own grid.
        """
        output = self._outputs[case.id]
        if output.id in self._dropped:
            return
        labels = scores.argmax(0).astype(np.uint8)
        if output.grid is None:
            labels = keep_largest(labels, self.largest)
            self._finish(output, labels, case, scores if self.probabilities else None)
            return
        whole = self._gathered.get(output.id) or self._begin(output, len(scores))
        whole.labels[case.slice] = labels
        if whole.pages is not None:
            whole.pages[:, case.slice] = quantised(scores)
        whole.left.discard(case.slice)
        if not whole.left:
            self._finish_volume(self._gathered.pop(output.id))

    def _begin(self, volume: Volume, classes: int) -> _Gathered:
        shape = volume.cut_shape
        pages = np.zeros((classes, *shape), np.uint16) if self.probabilities else None
        begun = _Gathered(volume, np.zeros(shape, np.uint8), pages, set(range(shape[0])))
        self._gathered[volume.id] = begun
        return begun

    def _finish(self, output: Volume, labels: LabelMap, case: Case, scores: Vectors | None) -> None:
        """Write the files of a flat image; the label map comes last, since it says that all is there."""
        if scores is not None:
            self.folder.write_probabilities(output.id, scores)
        if self.native is not None:
            picture = overlay(self.native.image(case), labels, self.class_map.colours)
            self.folder.write_overlay(output.id, picture)
        self.folder.write(output.id, labels)
        self.written.append(output.id)

    def _finish_volume(self, whole: _Gathered) -> None:
        """Write the files of a volume, the label map last; the overlay shows its fullest slice."""
        volume = whole.volume
        whole.labels = keep_largest(whole.labels, self.largest)
        if whole.pages is not None:
            self.folder.write_volume_probabilities(volume, whole.pages)
        if self.native is not None:
            fullest = int(np.count_nonzero(whole.labels, axis=(1, 2)).argmax())
            image = self.native.image(volume.cases[fullest])
            self.folder.write_overlay(
                volume.id, overlay(image, whole.labels[fullest], self.class_map.colours)
            )
        self.folder.write_volume(volume, whole.labels, self.class_map.names)
        self.written.append(volume.id)
