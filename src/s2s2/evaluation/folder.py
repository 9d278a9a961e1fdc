"""Folder of predictions: label maps, probabilities and overlays, named by case id."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NotRequired

import numpy as np
from PIL import Image
from typing_extensions import TypedDict

from s2s2.core.names import file_name, text_of
from s2s2.core.storage import atomic, read_json, storage_errors, write_json
from s2s2.core.types import LabelMap, Picture, RawLabels, Vectors
from s2s2.data.files import read_mask_raw
from s2s2.data.volumes.formats import LABEL_SUFFIXES
from s2s2.data.volumes.volume import Volume
from s2s2.errors import DataError, EvaluationError

_TOP = np.iinfo(np.uint16).max


class _Learnt(TypedDict):
    domain: str | None
    cases: list[str]


class _Facts(TypedDict):
    """Shape of predictions.json."""

    network: NotRequired[str]
    flips: NotRequired[list[list[int]]]
    adapted: NotRequired[str | None]
    largest: NotRequired[list[str] | None]
    classes: NotRequired[list[str]]
    learnt: NotRequired[_Learnt]
    images: NotRequired[dict[str, str]]
    label_maps: NotRequired[dict[str, str]]
    failed: NotRequired[dict[str, str]]


class PredictionFolder:
    """Predictions of one data set, one file for each case, found by the case's id.

    ==========================  =====================================================
    `<id>.png`                  label map, 8-bit grey, value = class id, original grid
    `<id>.nii.gz` and others    label map of a volume, in its format and place; `<id>.dcm` is a DICOM-SEG
    `probabilities/<id>.tif`    16-bit pages, one for each class, value / 65535 = probability
    `probabilities/<id>.npz`    of a volume: 16 bit of shape (class, slice, row, column), the same scale
    `overlays/<id>.png`         RGB picture to look at
    `predictions.json`          network, classes, and what could not be predicted
    ==========================  =====================================================

    `s2s2.core.names.file_name` makes the name of a file from the id.

    Args:
        root: The folder; it need not exist.

    Example:
        >>> PredictionFolder("out").label_map("patient 1/slice 2").name
        'patient%201%2Fslice%202.png'
    """

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)

    def label_map(self, case_id: str, suffix: str = ".png") -> Path:
        """Return the file of the label map of a case, or of a volume of another format."""
        return self.root / f"{file_name(case_id)}{suffix}"

    def probabilities(self, case_id: str, suffix: str = ".tif") -> Path:
        """Return the file of the probabilities of a case, or of a volume."""
        return self.root / "probabilities" / f"{file_name(case_id)}{suffix}"

    def overlay(self, case_id: str) -> Path:
        """Return the file of a case's overlay."""
        return self.root / "overlays" / f"{file_name(case_id)}.png"

    @property
    def names(self) -> dict[str, str]:
        """The id of every case and volume that has a label map, by the file's name without its suffix.

        Of a very long id the file's name is a part alone, see `file_name`: compare names.
        """
        # A name with a dot in front is a file that is still being written.
        files = (
            path.name for path in self.root.glob("*.*") if not path.name.startswith(".") and path.is_file()
        )
        suffixes = (".png", *LABEL_SUFFIXES)
        names = sorted(
            name.removesuffix(suffix) for name in files for suffix in suffixes if name.endswith(suffix)
        )
        return {name: text_of(name) for name in names}

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of all cases that have a label map, sorted."""
        return tuple(sorted(self.names.values()))

    @property
    def facts_path(self) -> Path:
        """The file that says of which network, classes and images the predictions are."""
        return self.root / "predictions.json"

    @property
    def facts(self) -> dict[str, Any]:
        """What `predictions.json` says, empty where the predictions were made elsewhere.

        Raises:
            EvaluationError: If the file is corrupt.
        """
        path = self.facts_path
        return read_json(path, error=EvaluationError, shape=_Facts) if path.exists() else {}

    def write_facts(self, facts: dict[str, Any]) -> None:
        """Write `predictions.json`.

        Raises:
            StorageError: If the file cannot be written.
        """
        write_json(self.facts_path, facts)

    def read(self, case_id: str) -> RawLabels:
        """Read a label map.

        Returns:
            Class ids of shape (height, width).

        Raises:
            EvaluationError: If the file cannot be read or is no label map.
        """
        path = self.label_map(case_id)
        try:
            labels = read_mask_raw(path)
        except DataError as error:
            raise EvaluationError(f"The prediction of case {case_id!r} cannot be used: {error}") from error
        if labels.ndim != 2:
            raise EvaluationError(
                f"The prediction {path} is a colour image, expected one grey value for each "
                "pixel, the class id. Give the folder of label maps, not of overlays."
            )
        return labels

    def label_map_of(self, volume: Volume) -> Path:
        """Return the file of the label map of a volume: in its own format, else in another that is there."""
        own = self.label_map(volume.id, volume.suffix)
        others = (self.label_map(volume.id, suffix) for suffix in LABEL_SUFFIXES)
        return own if own.is_file() else next((path for path in others if path.is_file()), own)

    def read_volume(self, volume: Volume) -> RawLabels:
        """Read the label map of a volume: a file of its own, or one for each of its slices.

        Returns:
            Class ids of shape (slice, row, column).

        Raises:
            EvaluationError: If a file cannot be read, is no label map, or lies on another grid.
        """
        if volume.grid is None:
            slices = [self.read(case.id) for case in volume.cases]
            odd = next((n for n, each in enumerate(slices) if each.shape != slices[0].shape), None)
            if odd is not None:
                ours, theirs = (" x ".join(map(str, slices[n].shape)) for n in (odd, 0))
                raise EvaluationError(
                    f"The prediction {self.label_map(volume.cases[odd].id)} is {ours} pixels "
                    f"(height x width), that of the first slice of volume {volume.id!r} {theirs}. "
                    "Give predictions on the original grid of the images."
                )
            return np.stack(slices)
        path = self.label_map_of(volume)
        try:
            return volume.cut(path)
        except DataError as error:
            raise EvaluationError(
                f"The prediction of volume {volume.id!r} cannot be used: {error}"
            ) from error

    def read_probabilities(self, case_id: str) -> Vectors:
        """Read the probabilities of a case: shape (class, height, width), in [0, 1].

        Raises:
            EvaluationError: If the file is missing or corrupt.
        """
        import tifffile

        path = self.probabilities(case_id)
        try:
            pages = tifffile.imread(path)
        except (OSError, ValueError) as error:
            raise EvaluationError(
                f"The probabilities {path} cannot be read ({error}). Predict again with probabilities."
            ) from error
        return np.asarray(pages).astype(np.float32) / np.float32(_TOP)

    def holds_volume(self, volume: Volume, *, probabilities: bool, overlay: bool) -> bool:
        """Say whether a volume was predicted, as `holds` says it of a case."""
        beside = [(probabilities, self.probabilities(volume.id, ".npz")), (overlay, self.overlay(volume.id))]
        if not all(path.is_file() for wanted, path in beside if wanted):
            return False
        try:
            own = self.label_map(volume.id, volume.suffix)
            return own.is_file() and self.read_volume(volume).ndim == 3
        except EvaluationError:
            return False

    def holds(self, case_id: str, shape: tuple[int, int], *, probabilities: bool, overlay: bool) -> bool:
        """Say whether a case was predicted: all files are there, and the label map is whole.

        Args:
            case_id: Id of the case.
            shape: Height and width that the label map must have.
            probabilities: Whether there must be probabilities too.
            overlay: Whether there must be an overlay too.
        """
        beside = [(probabilities, self.probabilities), (overlay, self.overlay)]
        if not all(path(case_id).is_file() for wanted, path in beside if wanted):
            return False
        try:
            return self.label_map(case_id).is_file() and self.read(case_id).shape == shape
        except EvaluationError:
            return False

    def write(self, case_id: str, labels: LabelMap) -> None:
        """Write a label map of shape (height, width).

        Raises:
            StorageError: If the file cannot be written.
        """
        _write_png(self.label_map(case_id), labels)

    def write_volume(self, volume: Volume, labels: LabelMap, names: Sequence[str] = ()) -> None:
        """Write a label map of shape (slice, row, column) in the format and place of the volume.

        Args:
            volume: The volume; its label map in another format, of an earlier call, is removed.
            labels: Class ids.
            names: Name of each class id.

        Raises:
            StorageError: If the file cannot be written.
        """
        path = self.label_map(volume.id, volume.suffix)
        volume.write(path, labels, names)
        for suffix in LABEL_SUFFIXES:
            if (other := self.label_map(volume.id, suffix)) != path:
                with storage_errors(other):
                    other.unlink(missing_ok=True)

    def write_overlay(self, case_id: str, picture: Picture) -> None:
        """Write an overlay of shape (height, width, 3).

        Raises:
            StorageError: If the file cannot be written.
        """
        _write_png(self.overlay(case_id), picture)

    def write_volume_probabilities(self, volume: Volume, pages: RawLabels) -> None:
        """Write probabilities of a volume, as `quantised` gives them: shape (class, slice, row, column).

        Raises:
            StorageError: If the file cannot be written.
        """
        with atomic(self.probabilities(volume.id, ".npz")) as temporary, open(temporary, "wb") as file:
            np.savez_compressed(file, probabilities=pages)

    def write_probabilities(self, case_id: str, probabilities: Vectors) -> None:
        """Write probabilities of shape (class, height, width), in [0, 1], rounded to 1 / 65535.

        Raises:
            StorageError: If the file cannot be written.
        """
        import tifffile

        pages = quantised(probabilities)
        with atomic(self.probabilities(case_id)) as temporary:
            tifffile.imwrite(temporary, pages, compression="zlib", predictor=True, photometric="minisblack")


def quantised(probabilities: Vectors) -> RawLabels:
    """Return probabilities in [0, 1] as uint16, 65535 for 1."""
    return np.round(probabilities * _TOP).astype(np.uint16)


def _write_png(path: Path, pixels: LabelMap | Picture) -> None:
    """Write an 8-bit picture, whole or not at all."""
    with atomic(path) as temporary:
        Image.fromarray(pixels).save(temporary, format="PNG")
