"""Reference measurements: the real training images, and changed views of them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from PIL import Image as Pillow

from s2s2.audit.config import AuditConfig
from s2s2.audit.dispersion import mask_shares, most_similar, scatter
from s2s2.audit.features import Features, distances
from s2s2.audit.fidelity import agreement
from s2s2.audit.memorisation import Nearest, nearest
from s2s2.audit.segmenters import Segmenters
from s2s2.core.progress import Progress
from s2s2.core.streams import stream
from s2s2.core.types import Floats, Image, Indices, LabelMap, Vectors
from s2s2.data.dataset import Dataset
from s2s2.data.grid import resize_mask
from s2s2.data.transforms.acquisition import Acquisition
from s2s2.data.transforms.config import PhotometricConfig
from s2s2.data.transforms.photometric import photometric

REENCODED = (75, 95)
"""Range of the JPEG quality of an image that was only saved again."""
FAINT = 0.01
"""Range of the brightness and relative contrast that it may have changed by."""
_SHOWN = 256
"""Cases whose relighted views are compared with all real images, to spare memory."""


@dataclass(frozen=True)
class Reference:
    """The real training images, one row for each case, in the order of the data set.

    Args:
        ids: The case ids.
        groups: Their groups.
        classes: Number of classes with the background.
        agreement: Of the held-out segmenter with the mask, by class; NaN for a class the mask
            lacks, (case, class - 1).
        readings: Mean over the classes present, of the image as it is and then in other light,
            colour and acquisition, (case, 1 + view).
        wrong: Of the image with the masks of others of another group, (case, view).
        descriptors: Of the ImageNet encoder, (case, entries).
        pooled: Of the ImageNet encoder, (case, 320).
        saved: Distance of the image to itself after it was saved again, (case, view).
        relighted: First to second distance of some of the images in other light and colour, (some, view).
        features: Of the held-out segmenter, (case, entries).
        folds: Number of that segmenter, (case,).
        shares: Of the mask on a coarse grid, (case, entries).
    """

    ids: tuple[str, ...]
    groups: tuple[str, ...]
    classes: int
    agreement: Floats
    readings: Floats
    wrong: Floats
    descriptors: Vectors
    pooled: Vectors
    saved: Floats
    relighted: Floats
    features: Vectors
    folds: Indices
    shares: Vectors

    @property
    def mean(self) -> Floats:
        """Agreement of each held-out real image as it is, (case,)."""
        return np.asarray(self.readings[:, 0])

    @property
    def expected(self) -> Floats:
        """Mean agreement of the readings of each case, (case,)."""
        return np.asarray(self.readings.mean(axis=1))

    @cached_property
    def codes(self) -> Indices:
        """Number of each case's group, 0 to groups - 1 in the order of their names."""
        return _codes(self.groups)

    @cached_property
    def between_groups(self) -> Floats:
        """Distances of all real images, infinite within a group: (case, case)."""
        apart = distances(self.descriptors, self.descriptors)
        return np.where(self.codes[:, None] == self.codes, np.inf, apart)

    @cached_property
    def neighbours(self) -> Nearest:
        """The nearest image of another group of every real image."""
        return nearest(self.between_groups, self.codes)

    def scatter(self, index: int, neighbours: int) -> tuple[float, int]:
        """Return the scatter of real images of masks similar to a case's, and how many they are.

        They are of other groups, and held out of the same segmenter, so that it has learnt from
        none of them.
        """
        allowed = (self.folds == self.folds[index]) & (self.codes != self.codes[index])
        chosen = most_similar(self.shares, index, allowed, neighbours)
        return scatter(self.features[chosen]), len(chosen)


def _codes(groups: Sequence[str]) -> Indices:
    return np.unique(np.asarray(groups, dtype=str), return_inverse=True)[1]


class RealImages:
    """The real training images, measured at first use; all audits of a run share them."""

    def __init__(self) -> None:
        self._found: tuple[tuple[object, ...], Reference] | None = None

    def measured(
        self,
        train: Dataset,
        segmenters: Segmenters,
        features: Features,
        config: AuditConfig,
        progress: Progress,
    ) -> Reference:
        """Return the measurements of these images by these segmenters, made now if need be."""
        key = (train.root, train.ids, train.size, segmenters.digest, config)
        if self._found is None or self._found[0] != key:
            self._found = key, measure_reference(train, segmenters, features, config, progress)
        return self._found[1]


def measure_reference(
    train: Dataset, segmenters: Segmenters, features: Features, config: AuditConfig, progress: Progress
) -> Reference:
    """Measure every real training image, and changed views of it.

    Args:
        train: The training cases on the working grid.
        segmenters: Cross-fitted on them.
        features: The ImageNet encoder.
        config: Settings of the audit.
        progress: Called after each case.
    """
    rows: list[dict[str, Any]] = []
    views: list[Vectors] = []
    labels: list[LabelMap] = []
    classes, every = len(train.class_map), -(-len(train) // _SHOWN)
    for number, case in enumerate(train, 1):
        image, mask = train.image(case), train.mask(case)
        relighted = [_relighted(image, config.seed, case.id, view) for view in range(config.views)]
        changed = [_acquired(copy, config.seed, case.id, view) for view, copy in enumerate(relighted)]
        saved = [_saved(image, config.seed, case.id, view) for view in range(config.views)]
        reading = segmenters.read(np.stack([image, *changed]), mask, case.id)
        found = [agreement(read, mask, classes) for read in reading.labels]
        seen = features(np.stack([image, *saved, *relighted]))
        labels.append(reading.labels[0])
        if number % every == 0:
            views.append(seen.descriptor[1 + config.views :])
        rows.append(
            {
                "agreement": found[0].classes,
                "readings": [one.mean for one in found],
                "descriptors": seen.descriptor[0],
                "pooled": seen.pooled[0],
                "saved": distances(seen.descriptor[:1], seen.descriptor[1 : 1 + config.views])[0],
                "features": reading.features[0],
                "folds": segmenters.fold_of(case.id),
                "shares": mask_shares(mask, classes),
            }
        )
        progress(number, len(train), "measuring real images")
    columns = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    groups = tuple(case.group for case in train)
    codes = _codes(groups)
    ratios = [nearest(distances(view, columns["descriptors"]), codes).ratio for view in views]
    wrong = [_wrong(train, labels, index, config) for index in range(len(train))]
    return Reference(train.ids, groups, classes, **columns, relighted=np.array(ratios), wrong=np.array(wrong))


def _wrong(train: Dataset, labels: list[LabelMap], index: int, config: AuditConfig) -> list[float]:
    """Agreement of a case's mask with the segmented images of other groups."""
    case, mask = train[index], train.mask(train[index])
    others = [number for number, other in enumerate(train) if other.group != case.group]
    drawn = stream(config.seed, "audit", "wrong", case.id).choice(others, config.views)
    return [
        agreement(resize_mask(labels[number], mask.shape), mask, len(train.class_map)).mean
        for number in drawn
    ]


def _relighted(image: Image, seed: int, case_id: str, view: int) -> Image:
    """The image in other light and colour: a copy in another style."""
    return photometric(image, stream(seed, "audit", "relit", case_id, view), PhotometricConfig())


def _acquired(relighted: Image, seed: int, case_id: str, view: int) -> Image:
    """The relighted image as another device takes it: another picture of the same scene."""
    return Acquisition()(relighted, stream(seed, "audit", "acquired", case_id, view))


def _saved(image: Image, seed: int, case_id: str, view: int) -> Image:
    """The image after it was compressed again and moved in light by too little to see."""
    rng = stream(seed, "audit", "stored", case_id, view)
    quality = int(rng.integers(*REENCODED))
    changed = image * rng.uniform(1 - FAINT, 1 + FAINT) + rng.uniform(-FAINT, FAINT)
    return np.stack([_jpeg(channel, quality) for channel in np.clip(changed, 0, 1)])


def _jpeg(channel: Vectors, quality: int) -> Image:
    buffer = io.BytesIO()
    Pillow.fromarray(np.rint(channel * 255).astype(np.uint8)).save(buffer, "JPEG", quality=quality)
    decoded: Image = np.asarray(Pillow.open(buffer), np.float32) / np.float32(255)
    return decoded
