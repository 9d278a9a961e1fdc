r"""Segmentation metrics: Dice, IoU, precision, recall, HD95 and surface Dice of each class.

The rules that published code gets wrong are decided here, once:

===================  =========  ==============  ==============
class of the case    status     Dice, IoU, NSD  HD95
===================  =========  ==============  ==============
in both              `scored`   as measured     as measured
in the mask alone    `missed`   0               image diagonal
predicted alone      `false`    0               image diagonal
in neither           `absent`   NaN             NaN
===================  =========  ==============  ==============

NaN means "does not count": leave it out of every mean and say how often. Entry
k of every result belongs to class id k + 1; the background is no structure and
has no entry.

`METRICS` holds every metric with all that is known of it. Score tables, means, comparisons
and reports go through it, so another metric is one more entry: see `register`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from s2s2.core.types import Floats, RawLabels, Region
from s2s2.errors import EvaluationError, ShapeError

Status = Literal["scored", "missed", "false", "absent"]

_PERCENTILE = 95


@dataclass(frozen=True, slots=True)
class Overlap:
    """Overlap of each foreground class, all of shape (classes - 1,).

    Args:
        dice: In [0, 1], NaN for an absent class.
        iou: In [0, 1], NaN for an absent class.
        precision: In [0, 1], NaN where nothing is predicted.
        recall: In [0, 1], NaN where the mask has nothing.
        status: What was found: `scored`, `missed`, `false` or `absent`.
    """

    dice: Floats
    iou: Floats
    precision: Floats
    recall: Floats
    status: tuple[Status, ...]


@dataclass(frozen=True, slots=True)
class Surface:
    """Distances between the borders of each foreground class, of shape (classes - 1,).

    Args:
        hd95: In pixels or mm, from 0 to the image's diagonal, NaN for an absent class.
        nsd: In [0, 1], NaN for an absent class.
    """

    hd95: Floats
    nsd: Floats


def overlap(prediction: RawLabels, mask: RawLabels, classes: int) -> Overlap:
    r"""Compare two label maps pixel by pixel.

    With the pixels of a class that are predicted rightly (TP), predicted wrongly
    (FP) and missed (FN),

    $$\mathrm{Dice} = \frac{2 TP}{2 TP + FP + FN}, \quad
      \mathrm{IoU} = \frac{TP}{TP + FP + FN}, \quad
      \mathrm{precision} = \frac{TP}{TP + FP}, \quad
      \mathrm{recall} = \frac{TP}{TP + FN},$$

    and 0 / 0 is NaN.

    Args:
        prediction: Class ids from 0 to classes - 1.
        mask: Class ids from 0 to classes - 1.
        classes: Number of classes with the background.

    Shape:
        - prediction: (height, width).
        - mask: as `prediction`.

    Returns:
        The four metrics and the status of each class but the background.

    Raises:
        ShapeError: If the two shapes differ.
        EvaluationError: If a class id does not lie in the range.

    Example:
        >>> mask = np.array([[0, 1, 1, 1]])
        >>> result = overlap(np.array([[1, 1, 0, 0]]), mask, classes=3)
        >>> result.dice.round(2).tolist(), result.status
        ([0.4, nan], ('scored', 'absent'))
    """
    _check(prediction, mask, classes)
    pairs = classes * mask.ravel().astype(np.int64) + prediction.ravel().astype(np.int64)
    confusion = np.bincount(pairs, minlength=classes * classes).reshape(classes, classes).astype(float)
    hit = np.diagonal(confusion)[1:]
    predicted, labelled = confusion.sum(axis=0)[1:], confusion.sum(axis=1)[1:]
    return Overlap(
        dice=_ratio(2 * hit, predicted + labelled),
        iou=_ratio(hit, predicted + labelled - hit),
        precision=_ratio(hit, predicted),
        recall=_ratio(hit, labelled),
        status=tuple(_status(bool(p), bool(m)) for p, m in zip(predicted, labelled, strict=True)),
    )


def surface(
    prediction: RawLabels,
    mask: RawLabels,
    classes: int,
    spacing: tuple[float, float] | None = None,
    tolerance: float = 2.0,
) -> Surface:
    r"""Compare the borders of two label maps.

    The border of a class is its pixels with a neighbour (of four) outside the
    class; the image ends outside. With the distances $d(P, M)$ from each border
    pixel of the prediction to the nearest one of the mask, and the reverse,

    $$\mathrm{HD95} = \max\bigl(q_{95}\, d(P, M),\; q_{95}\, d(M, P)\bigr), \qquad
      \mathrm{NSD} = \frac{|d(P, M) \le \tau| + |d(M, P) \le \tau|}{|d(P, M)| + |d(M, P)|}.$$

    Args:
        prediction: Class ids from 0 to classes - 1.
        mask: Class ids from 0 to classes - 1.
        classes: Number of classes with the background.
        spacing: Height and width of a pixel in mm; None measures in pixels.
        tolerance: The tau of NSD, 0 or more, in mm if `spacing` is given, else in pixels.

    Shape:
        - prediction: (height, width).
        - mask: as `prediction`.

    Returns:
        Both metrics of each class but the background.

    Raises:
        ShapeError: If the two shapes differ.
        EvaluationError: If a class id, the spacing or the tolerance lies out of its range.

    Reference:
        Nikolov et al., *Clinically applicable segmentation of head and neck anatomy for
        radiotherapy*, J Med Internet Res 2021 (surface Dice); percentile and borders as in MONAI.

    Example:
        >>> mask, prediction = np.zeros((2, 8, 8), int)
        >>> mask[2:5, 2:5], prediction[2:5, 4:7] = 1, 1
        >>> surface(prediction, mask, classes=2).hd95.tolist()
        [2.0]
        >>> surface(prediction, mask, classes=2, spacing=(1.0, 0.5)).hd95.tolist()
        [1.0]
    """
    _check(prediction, mask, classes)
    step = _checked_spacing(spacing)
    if not (math.isfinite(tolerance) and tolerance >= 0):
        raise EvaluationError(
            f"The tolerance of the surface Dice is {tolerance}; it must be a number of pixels or mm, "
            "0 or more."
        )
    rows = [
        _surface_of_class(prediction == label, mask == label, step, tolerance) for label in range(1, classes)
    ]
    table = np.array(rows, dtype=float).reshape(classes - 1, 2)
    return Surface(hd95=table[:, 0], nsd=table[:, 1])


class Comparison:
    """One prediction against its mask; what several metrics need is computed once.

    Args:
        prediction: Class ids from 0 to classes - 1, (height, width).
        mask: Class ids from 0 to classes - 1, (height, width).
        classes: Number of classes with the background.
        spacing: Height and width of a pixel in mm; None measures in pixels.
        tolerance: What the surface Dice forgives, in mm or pixels.
    """

    def __init__(
        self,
        prediction: RawLabels,
        mask: RawLabels,
        classes: int,
        spacing: tuple[float, float] | None = None,
        tolerance: float = 2.0,
    ) -> None:
        self.prediction, self.mask, self.classes = prediction, mask, classes
        self.spacing, self.tolerance = spacing, tolerance

    @cached_property
    def overlap(self) -> Overlap:
        """Overlap of the two, see `overlap`."""
        return overlap(self.prediction, self.mask, self.classes)

    @cached_property
    def surface(self) -> Surface:
        """Distances between their borders, see `surface`."""
        return surface(self.prediction, self.mask, self.classes, self.spacing, self.tolerance)


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric: its name, how it is computed and how it is read.

    Args:
        name: Column of the score table, and what options call it.
        label: Its name in tables and figures.
        compute: Gives one value for each class but the background, (classes - 1,), NaN where
            the class does not count.
        help: Range and missing values, in a few words.
        best: The value of a perfect prediction; above 0 more is better, at 0 less is better.
        distance: Whether it is a distance, in px or mm; else it is a share in [0, 1].
        surface: Whether it is computed from distances, which take most of the time.
        tested: Whether `compare` tests it unless other metrics are named.
        credits_absence: Whether leaving an absent class alone counts as `best` when another
            run of the same comparison predicts the class. Precision and recall are 0 / 0
            there and stay out.
    """

    name: str
    label: str
    compute: Callable[[Comparison], Floats]
    help: str
    best: float = 1.0
    distance: bool = False
    surface: bool = False
    tested: bool = False
    credits_absence: bool = True

    @property
    def sign(self) -> int:
        """1 where more is better, -1 where less is better."""
        return 1 if self.best > 0 else -1


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric(
            "dice", "Dice", lambda pair: pair.overlap.dice, "in [0, 1]; NaN for an absent class", tested=True
        ),
        Metric("iou", "IoU", lambda pair: pair.overlap.iou, "in [0, 1]; NaN for an absent class"),
        Metric(
            "precision",
            "Precision",
            lambda pair: pair.overlap.precision,
            "in [0, 1]; NaN where nothing is predicted",
            credits_absence=False,
        ),
        Metric(
            "recall",
            "Recall",
            lambda pair: pair.overlap.recall,
            "in [0, 1]; NaN where the mask has nothing",
            credits_absence=False,
        ),
        Metric(
            "hd95",
            "HD95",
            lambda pair: pair.surface.hd95,
            "in `unit`; the image's diagonal for a missed or falsely predicted class; NaN if absent",
            best=0.0,
            distance=True,
            surface=True,
            tested=True,
        ),
        Metric(
            "nsd",
            "Surface Dice",
            lambda pair: pair.surface.nsd,
            "surface Dice in [0, 1] within `tolerance`; NaN for an absent class",
            surface=True,
            tested=True,
        ),
    )
}
"""All metrics by name, in the order of the columns."""


def register(metric: Metric) -> None:
    """Add a metric, which scores, means, comparisons and reports then hold.

    Raises:
        EvaluationError: If there is one of this name.

    Example:
        >>> register(Metric("dice", "Dice", lambda pair: pair.overlap.dice, "in [0, 1]"))
        Traceback (most recent call last):
        s2s2.errors.EvaluationError: There is a metric 'dice' already. Choose another name.
    """
    if metric.name in METRICS:
        raise EvaluationError(f"There is a metric {metric.name!r} already. Choose another name.")
    METRICS[metric.name] = metric


def _surface_of_class(
    predicted: Region, labelled: Region, spacing: Floats, tolerance: float
) -> tuple[float, float]:
    """Return HD95 and NSD of one class."""
    status = _status(bool(predicted.any()), bool(labelled.any()))
    if status == "absent":
        return math.nan, math.nan
    if status != "scored":
        return float(np.linalg.norm(np.array(labelled.shape) * spacing)), 0.0
    # Imported here, since validation asks for the overlap alone.
    from scipy.spatial import cKDTree

    ours, theirs = _border(predicted) * spacing, _border(labelled) * spacing
    # A tree of border pixels is exact like a distance transform, and its cost
    # follows the length of the border instead of the area of the image.
    there: Floats = cKDTree(theirs, leafsize=32).query(ours)[0]
    back: Floats = cKDTree(ours, leafsize=32).query(theirs)[0]
    hd95 = max(np.percentile(there, _PERCENTILE), np.percentile(back, _PERCENTILE))
    # The slack lets a distance of exactly tau count whatever the spacing's rounding.
    reach = tolerance * (1 + 1e-9)
    return float(hd95), float(np.mean(np.concatenate([there, back]) <= reach))


def _border(region: Region) -> Floats:
    """Return row and column of each border pixel of a region."""
    framed = np.pad(region, 1)
    inside = framed[:-2, 1:-1] & framed[2:, 1:-1] & framed[1:-1, :-2] & framed[1:-1, 2:]
    return np.argwhere(region & ~inside).astype(np.float64)


def _status(predicted: bool, labelled: bool) -> Status:
    """Name what was found of a class."""
    if predicted:
        return "scored" if labelled else "false"
    return "missed" if labelled else "absent"


def _ratio(part: Floats, whole: Floats) -> Floats:
    """Divide, and give NaN for 0 / 0."""
    return np.divide(part, whole, out=np.full_like(whole, np.nan), where=whole > 0)


def _checked_spacing(spacing: tuple[float, float] | None) -> Floats:
    """Return the spacing as an array, 1 pixel where there is none."""
    if spacing is None:
        return np.ones(2)
    step = np.asarray(spacing, dtype=np.float64)
    if step.shape != (2,) or not np.isfinite(step).all() or (step <= 0).any():
        raise EvaluationError(
            f"The spacing is {spacing}; it must be the height and the width of a pixel in mm, both above 0."
        )
    return step


def _check(prediction: RawLabels, mask: RawLabels, classes: int) -> None:
    """Refuse label maps that do not belong together or do not fit the classes."""
    if prediction.shape != mask.shape or mask.ndim != 2:
        raise ShapeError(
            f"Prediction and mask must have one shape (height, width), got {prediction.shape} and "
            f"{mask.shape}. Take the prediction back to the original grid before it is scored."
        )
    for name, labels in (("prediction", prediction), ("mask", mask)):
        if labels.size and not 0 <= int(labels.min()) <= int(labels.max()) < classes:
            raise EvaluationError(
                f"The {name} holds class ids from {labels.min()} to {labels.max()}, but there are "
                f"{classes} classes (0 to {classes - 1}). Give the class map that the {name} was made with."
            )
