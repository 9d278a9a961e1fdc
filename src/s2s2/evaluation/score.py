"""Scores of predictions against masks: one row for each case and class."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from s2s2.core.names import file_name
from s2s2.core.types import LabelMap, RawLabels
from s2s2.data.dataset import Dataset
from s2s2.data.volumes.masks import volume_mask
from s2s2.data.volumes.volume import Volume
from s2s2.errors import EvaluationError, listed
from s2s2.evaluation.folder import PredictionFolder
from s2s2.evaluation.tables import score_columns
from s2s2.metrics import METRICS, Comparison

if TYPE_CHECKING:
    import pandas as pd


def score(
    predictions: str | Path,
    dataset: Dataset,
    *,
    tolerance: float = 2.0,
    surface: bool = True,
    beside: Collection[str] = (),
    slicewise: bool = False,
) -> pd.DataFrame:
    """Score the label maps of a folder against the masks of a data set, joined by case id.

    A volume is scored as a whole.

    Both are compared on the original grid of each image. Distances are in mm where
    the case knows its spacing, else in pixels; see `s2s2.metrics` for what counts
    for a missed, an invented and an absent class.

    Args:
        predictions: Folder with `<id>.png` for each case, as `predict` writes it.
        dataset: The cases with masks; no more and no fewer than were predicted.
        tolerance: What the surface Dice forgives, in mm or pixels.
        surface: Whether to measure distances; without them such metrics are NaN.
        beside: Ids of cases that may have predictions too, which are not scored: the other parts of
            a split.
        slicewise: Whether every slice of a volume is scored by itself, which weighs small slices as
            much as large ones; the case is then the slice.

    Returns:
        One row for each case and class but the background; see `score_columns`.

    Raises:
        EvaluationError: If a prediction is missing, there is one too many, or one
            has another size or other classes than the data set, or the network was
            trained or chosen on one of the cases.
        DataError: If a mask is missing or cannot be read.
    """
    import pandas as pd

    folder = PredictionFolder(predictions)
    _check_no_masks(folder, dataset)
    _check_ids(folder, dataset, beside)
    _check_classes(folder, dataset)
    _check_unseen(folder, dataset)
    rows: list[dict[str, object]] = []
    for volume in dataset.volumes:
        mask = volume_mask(dataset, volume)
        labels = _fitting(folder, volume, mask, len(dataset.class_map))
        parts = [(volume, labels, mask)]
        if slicewise and not volume.is_flat:
            parts = list(zip(map(Volume.flat, volume.cases), labels, mask, strict=True))
        for part, found, truth in parts:
            pair = Comparison(found, truth, len(dataset.class_map), part.spacing_mm, tolerance)
            rows += _rows(part, pair, dataset.class_map.names[1:], surface=surface)
    return pd.DataFrame(rows, columns=list(score_columns())).assign(tolerance=float(tolerance))


def _rows(
    volume: Volume, pair: Comparison, names: tuple[str, ...], *, surface: bool
) -> list[dict[str, object]]:
    """Return the rows of one case, one for each foreground class."""
    missing = np.full(len(names), np.nan)
    values = {
        name: metric.compute(pair) if surface or not metric.surface else missing
        for name, metric in METRICS.items()
    }
    return [
        {
            "case": volume.id,
            "group": volume.group,
            "domain": volume.domain,
            "class_id": index + 1,
            "class_name": name,
            **{metric: value[index] for metric, value in values.items()},
            "unit": "px" if volume.spacing_mm is None else "mm",
            "status": pair.status[index],
        }
        for index, name in enumerate(names)
    ]


def _check_ids(folder: PredictionFolder, dataset: Dataset, beside: Collection[str]) -> None:
    """Refuse a folder that does not hold exactly the cases of the data set, and maybe those beside."""
    wanted = {file_name(each): each for each in _predicted(dataset)}
    others = set(map(file_name, beside)) - wanted.keys()
    found = {name: case_id for name, case_id in folder.names.items() if name not in others}
    missing, extra = (
        sorted(ours[name] for name in ours.keys() - theirs.keys())
        for ours, theirs in ((wanted, found), (found, wanted))
    )
    if not folder.root.is_dir():
        raise EvaluationError(f"There is no folder {folder.root} of predictions. Check the path.")
    if not wanted:
        raise EvaluationError(f"{dataset.root} has no case to score. Choose a part with cases.")
    if missing or extra:
        raise EvaluationError(
            f"The predictions in {folder.root} and the cases of {dataset.root} are not the same: "
            f"{_listed(missing)} without a prediction, {_listed(extra)} without a case. "
            "Predict exactly the cases that are scored, and name each file after its case. To score one part "
            "of a data set, give `--split split.json --part test` to `s2s2 predict` or to `s2s2 evaluate`."
        )


def _predicted(dataset: Dataset) -> list[str]:
    """Return the ids of what has a label map of its own: volumes, and slices that are flat images."""
    return [output.id for volume in dataset.volumes for output in volume.outputs]


def _check_no_masks(folder: PredictionFolder, dataset: Dataset) -> None:
    """Refuse to score masks against themselves."""
    for case in (output for volume in dataset.volumes for output in volume.outputs):
        path, mask = folder.label_map(case.id, case.suffix), case.mask_source
        inside = mask is not None and folder.root.resolve() in (mask.parent.resolve(), mask.resolve().parent)
        if mask is not None and (inside or (path.exists() and path.samefile(mask))):
            raise EvaluationError(
                f"{folder.root} holds the masks of {dataset.root} themselves ({mask.name} of {case.id}): "
                "scored against themselves they are perfect, whatever the network. Give the folder that "
                "`s2s2 predict` wrote."
            )


def _listed(ids: list[str]) -> str:
    """Count ids and name the first ones."""
    return f"{len(ids)} ({listed(ids)})" if ids else "none"


def _check_classes(folder: PredictionFolder, dataset: Dataset) -> None:
    """Refuse predictions of a network with another number of classes, or with the same in another order."""
    names, ours = folder.facts.get("classes"), dataset.class_map.names
    if names is None or tuple(names) == ours:
        return
    if len(names) != len(ours) or set(names) == set(ours):
        raise EvaluationError(
            f"The predictions in {folder.root} were made with the classes {', '.join(names)}, but "
            f"{dataset.root} has {', '.join(ours)}. "
            "Open the data with the class map of the network."
        )


def _check_unseen(folder: PredictionFolder, dataset: Dataset) -> None:
    """Refuse cases that the network was trained on or chosen by."""
    learnt = folder.facts.get("learnt", {"domain": None, "cases": []})
    cases = set(learnt["cases"])
    seen = sorted(case.id for case in dataset if case.domain == learnt["domain"] and case.id in cases)
    if seen:
        raise EvaluationError(
            f"The network behind {folder.root} has seen cases of {dataset.root} that are to be scored: "
            f"{_listed(seen)}. A score on them says nothing about new images. Score the test part alone: "
            "`s2s2 evaluate --split split.json --part test`, or Split.testing(dataset)."
        )


def _fitting(folder: PredictionFolder, volume: Volume, mask: LabelMap, classes: int) -> RawLabels:
    """Read a label map and refuse it when it does not fit its mask.

    Returns:
        Shape (height, width) of a flat image, (slice, height, width) of a volume.
    """
    labels = folder.read(volume.id) if volume.is_flat else folder.read_volume(volume)
    path = folder.label_map(volume.id, volume.suffix)
    if labels.shape != mask.shape:
        ours, theirs = (" x ".join(map(str, shape)) for shape in (labels.shape, mask.shape))
        raise EvaluationError(
            f"The prediction {path} is {ours} pixels (height x width), the mask of the case {theirs}. "
            "Give predictions on the original grid of the images."
        )
    if int(labels.max()) >= classes:
        raise EvaluationError(
            f"The prediction {path} holds the value {labels.max()}, but the data set has {classes} classes "
            f"(class ids 0 to {classes - 1}). Write class ids as grey values, and open the data with the "
            "class map of the network."
        )
    return labels
