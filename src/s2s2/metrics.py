r"""Segmentation metrics of each class: overlap, distances of the borders and volume.

The rules that published code gets wrong are decided here, once:

===================  =========  ==============  ==============  ==============
class of the case    status     Dice, IoU, NSD  HD95, ASSD      volume error
===================  =========  ==============  ==============  ==============
in both              `scored`   as measured     as measured     as measured
in the mask alone    `missed`   0               the diagonal    as measured
predicted alone      `false`    0               the diagonal    as measured
in neither           `absent`   NaN             NaN             NaN
===================  =========  ==============  ==============  ==============

The diagonal is that of the image or volume. NaN means "does not count": leave it out of every mean and
say how often. Entry k of every result belongs to class id k + 1; the background has no entry.

With the pixels of a class that are predicted rightly (TP), predicted wrongly (FP) and missed (FN),

$$\mathrm{Dice} = \frac{2 TP}{2 TP + FP + FN}, \quad
  \mathrm{IoU} = \frac{TP}{TP + FP + FN}, \quad
  \mathrm{precision} = \frac{TP}{TP + FP}, \quad
  \mathrm{recall} = \frac{TP}{TP + FN},$$

and 0 / 0 is NaN. The volume error is the size of $|FP - FN|$ voxels in ml. The border of a class is its
pixels with a neighbour outside the class, of four in an image and of six in a volume; the grid ends
outside. With the distances $d(P, M)$ from each border pixel of the prediction to the nearest one of the
mask, and the reverse,

$$\mathrm{HD95} = \max\bigl(q_{95}\, d(P, M),\; q_{95}\, d(M, P)\bigr), \quad
  \mathrm{ASSD} = \frac{\sum d(P, M) + \sum d(M, P)}{|d(P, M)| + |d(M, P)|}, \quad
  \mathrm{NSD} = \frac{|d(P, M) \le \tau| + |d(M, P) \le \tau|}{|d(P, M)| + |d(M, P)|}.$$

ASSD is the mean over the distances of both ways together, as in MONAI with `symmetric=True`, and not the
mean of the two ways' means.

`METRICS` holds every metric with all that is known of it. Score tables, means, comparisons
and reports go through it, so another metric is one more entry: see `register`.

Reference:
    Nikolov et al., *Clinically applicable segmentation of head and neck anatomy for
    radiotherapy*, J Med Internet Res 2021 (surface Dice); percentile, borders and ASSD as in MONAI.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from s2s2.core.types import Floats, RawLabels
from s2s2.errors import EvaluationError, ShapeError
from s2s2.regions import overlaps, surface_distances

Status = Literal["scored", "missed", "false", "absent"]

_STATUS: dict[tuple[bool, bool], Status] = {
    (True, True): "scored",
    (False, True): "missed",
    (True, False): "false",
    (False, False): "absent",
}
"""What was found of a class, by whether it is predicted and whether it is in the mask."""


class Comparison:
    """One prediction against its mask, class by class; what several metrics need is computed once.

    Args:
        prediction: Class ids from 0 to classes - 1.
        mask: Class ids from 0 to classes - 1.
        classes: Number of classes with the background.
        spacing: Size of a pixel in mm along each axis, in their order; None measures in pixels.
        tolerance: The tau of NSD, 0 or more, in mm if `spacing` is given, else in pixels.

    Shape:
        - prediction, mask: (height, width) or (slice, height, width); any order of the axes will do.
        - every metric: (classes - 1,).

    Raises:
        ShapeError: If the two shapes differ.
        EvaluationError: If a class id, the spacing or the tolerance lies out of its range.

    Example:
        >>> pair = Comparison(np.array([[1, 1, 0, 0]]), np.array([[0, 1, 1, 1]]), classes=3)
        >>> pair.dice.round(2).tolist(), pair.status
        ([0.4, nan], ('scored', 'absent'))
        >>> mask, prediction = np.zeros((2, 8, 8), int)
        >>> mask[2:5, 2:5], prediction[2:5, 4:7] = 1, 1
        >>> Comparison(prediction, mask, classes=2).hd95.tolist()
        [2.0]
        >>> Comparison(prediction, mask, classes=2, spacing=(1.0, 0.5)).hd95.tolist()
        [1.0]
    """

    def __init__(
        self,
        prediction: RawLabels,
        mask: RawLabels,
        classes: int,
        spacing: Sequence[float] | None = None,
        tolerance: float = 2.0,
    ) -> None:
        _check(prediction, mask, classes)
        if not (math.isfinite(tolerance) and tolerance >= 0):
            raise EvaluationError(
                f"The tolerance of the surface Dice is {tolerance}; it must be a number of pixels or mm, "
                "0 or more."
            )
        self.prediction, self.mask, self.classes = prediction, mask, classes
        self.step, self.tolerance = _checked_spacing(spacing, mask.shape), tolerance
        self.in_mm = spacing is not None

    @cached_property
    def counts(self) -> tuple[Floats, Floats, Floats]:
        """Pixels of each class that are predicted rightly, predicted at all, and in the mask."""
        return overlaps(self.prediction, self.mask, self.classes)

    @cached_property
    def status(self) -> tuple[Status, ...]:
        """What was found of each class: `scored`, `missed`, `false` or `absent`."""
        found = zip(*self.counts[1:], strict=True)
        return tuple(_STATUS[bool(predicted), bool(labelled)] for predicted, labelled in found)

    @property
    def dice(self) -> Floats:
        """In [0, 1], NaN for an absent class."""
        hit, predicted, labelled = self.counts
        return _ratio(2 * hit, predicted + labelled)

    @property
    def iou(self) -> Floats:
        """In [0, 1], NaN for an absent class."""
        hit, predicted, labelled = self.counts
        return _ratio(hit, predicted + labelled - hit)

    @property
    def precision(self) -> Floats:
        """In [0, 1], NaN where nothing is predicted."""
        return _ratio(self.counts[0], self.counts[1])

    @property
    def recall(self) -> Floats:
        """In [0, 1], NaN where the mask has nothing."""
        return _ratio(self.counts[0], self.counts[2])

    @cached_property
    def distances(self) -> tuple[tuple[Floats, Floats] | None, ...]:
        """From each border pixel of a class to the other border, both ways; None where one is missing."""
        return tuple(
            surface_distances(self.prediction, self.mask, label, self.step) if found == "scored" else None
            for label, found in enumerate(self.status, 1)
        )

    @property
    def hd95(self) -> Floats:
        """In pixels or mm, from 0 to the diagonal of the grid, NaN for an absent class."""
        return self._by_class(self.diagonal, lambda *ways: max(float(np.percentile(way, 95)) for way in ways))

    @property
    def assd(self) -> Floats:
        """In pixels or mm, from 0 to the diagonal of the grid, NaN for an absent class."""
        return self._by_class(self.diagonal, lambda *ways: float(np.mean(np.concatenate(ways))))

    @property
    def volume_error_ml(self) -> Floats:
        """In ml, 0 or more; NaN for an absent class, for flat images and where the spacing is unknown."""
        if self.mask.ndim < 3 or not self.in_mm:
            return np.full(self.classes - 1, np.nan)
        _, predicted, labelled = self.counts
        voxel = float(np.prod(self.step)) / 1000  # from mm3 to ml
        return np.where(predicted + labelled > 0, np.abs(predicted - labelled) * voxel, np.nan)

    @property
    def nsd(self) -> Floats:
        """Surface Dice, in [0, 1], NaN for an absent class."""
        # The slack lets a distance of exactly tau count whatever the spacing's rounding.
        reach = self.tolerance * (1 + 1e-9)
        return self._by_class(0.0, lambda way, back: float(np.mean(np.concatenate([way, back]) <= reach)))

    @property
    def diagonal(self) -> float:
        """Of the image or volume, in pixels or mm."""
        return float(np.linalg.norm(np.array(self.mask.shape) * self.step))

    def _by_class(self, worst: float, measure: Callable[[Floats, Floats], float]) -> Floats:
        """Return a measure of the distances; `worst` for a missed or false class, NaN for an absent one."""
        lone = [math.nan if found == "absent" else worst for found in self.status]
        both = zip(self.distances, lone, strict=True)
        return np.array([measure(*found) if found else value for found, value in both], dtype=float)


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric: its name, how it is computed and how it is read.

    Args:
        name: Column of the score table, and what options call it.
        label: Its name in tables and figures.
        compute: Gives one value for each class but the background, (classes - 1,), NaN where
            the class does not count.
        help: Range and missing values, in a few words.
        unit: Of its values; empty for a share.
        best: The value of a perfect prediction; above 0 more is better, at 0 less is better.
        surface: Whether it is computed from distances, which take most of the time.
        tested: Whether `compare` tests it unless other metrics are named.
        credits_absence: Whether leaving an absent class alone counts as `best` when another
            run of the same comparison predicts the class. Precision and recall are 0 / 0
            there and stay out.
    """

    name: str
    label: str
    compute: Callable[[Comparison], Floats]
    help: str = "in [0, 1]; NaN for an absent class"
    unit: str = ""
    best: float = 1.0
    surface: bool = False
    tested: bool = False
    credits_absence: bool = True

    @property
    def sign(self) -> int:
        """1 where more is better, -1 where less is better."""
        return 1 if self.best > 0 else -1


_UNPREDICTED = "in [0, 1]; NaN where nothing is predicted"
_UNLABELLED = "in [0, 1]; NaN where the mask has nothing"
_DISTANCE = "in `unit`; the diagonal of the grid for a missed or falsely predicted class; NaN if absent"
_VOLUME = "in ml; NaN for an absent class, for flat images and where the spacing is unknown"
_NSD = "surface Dice in [0, 1] within `tolerance`; NaN for an absent class"
_TABLE = (
    Metric("dice", "Dice", lambda pair: pair.dice, tested=True),
    Metric("iou", "IoU", lambda pair: pair.iou),
    Metric("precision", "Precision", lambda pair: pair.precision, _UNPREDICTED, credits_absence=False),
    Metric("recall", "Recall", lambda pair: pair.recall, _UNLABELLED, credits_absence=False),
    Metric(
        "hd95", "HD95", lambda pair: pair.hd95, _DISTANCE, "px or mm", best=0.0, surface=True, tested=True
    ),
    Metric("nsd", "Surface Dice", lambda pair: pair.nsd, _NSD, surface=True, tested=True),
    Metric("assd", "ASSD", lambda pair: pair.assd, _DISTANCE, "px or mm", best=0.0, surface=True),
    Metric("volume_error_ml", "Volume error", lambda pair: pair.volume_error_ml, _VOLUME, "ml", best=0.0),
)

METRICS = {metric.name: metric for metric in _TABLE}
"""All metrics by name, in the order of the columns."""


def register(metric: Metric) -> None:
    """Add a metric, which scores, means, comparisons and reports then hold.

    Raises:
        EvaluationError: If there is one of this name.

    Example:
        >>> register(METRICS["dice"])
        Traceback (most recent call last):
        s2s2.errors.EvaluationError: There is a metric 'dice' already. Choose another name.
    """
    if metric.name in METRICS:
        raise EvaluationError(f"There is a metric {metric.name!r} already. Choose another name.")
    METRICS[metric.name] = metric


def _ratio(part: Floats, whole: Floats) -> Floats:
    """Divide, and give NaN for 0 / 0."""
    return np.divide(part, whole, out=np.full_like(whole, np.nan), where=whole > 0)


def _checked_spacing(spacing: Sequence[float] | None, shape: tuple[int, ...]) -> Floats:
    """Return the spacing as an array, 1 pixel where there is none."""
    if spacing is None:
        return np.ones(len(shape))
    step = np.asarray(spacing, dtype=np.float64)
    if step.shape != (len(shape),) or not np.isfinite(step).all() or (step <= 0).any():
        raise EvaluationError(
            f"The spacing is {spacing}; it must be {len(shape)} numbers in mm, all above 0, one for each "
            f"axis of the label maps of shape {shape}."
        )
    return step


def _check(prediction: RawLabels, mask: RawLabels, classes: int) -> None:
    """Refuse label maps that do not belong together or do not fit the classes."""
    if prediction.shape != mask.shape or mask.ndim not in (2, 3):
        raise ShapeError(
            "Prediction and mask must have one shape, (height, width) or (slice, height, width), got "
            f"{prediction.shape} and {mask.shape}. Take the prediction back to the original grid before it "
            "is scored."
        )
    for name, labels in (("prediction", prediction), ("mask", mask)):
        if labels.size and not 0 <= int(labels.min()) <= int(labels.max()) < classes:
            raise EvaluationError(
                f"The {name} holds class ids from {labels.min()} to {labels.max()}, but there are "
                f"{classes} classes (0 to {classes - 1}). Give the class map that the {name} was made with."
            )
