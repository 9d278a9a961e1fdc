"""Measurements of the copies of one case, kept on disk until all cases are done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from s2s2.audit.features import Features, distances
from s2s2.audit.fidelity import agreement
from s2s2.audit.memorisation import nearest, structural_similarity
from s2s2.audit.reference import Reference
from s2s2.audit.segmenters import Segmenters
from s2s2.core.arrays import load_arrays, save_arrays
from s2s2.core.inputs import Inputs
from s2s2.core.names import file_name
from s2s2.core.types import Floats, Image, Indices, Region, Vectors
from s2s2.data.dataset import Dataset
from s2s2.stack import Stack


@dataclass(frozen=True)
class Measured:
    """The copies of one case, one row for each copy.

    Args:
        agreement: With the mask by class, NaN for a class the mask lacks, (copy, class - 1).
        mean: The same, mean over the classes present, (copy,).
        own: Distance to the case's real image, (copy,).
        nearest: Index of the nearest real training image, (copy,).
        first: Its distance, (copy,).
        second: Distance of the nearest of another group than that one's, (copy,).
        ssim: Structural similarity to the case's real image, (copy,).
        apart: Distances between the copies, (copy, copy).
        pooled: Of the ImageNet encoder, (copy, 320).
        features: Of the held-out segmenter inside the mask, (copy, entries).
    """

    agreement: Floats
    mean: Floats
    own: Floats
    nearest: Indices
    first: Floats
    second: Floats
    ssim: Floats
    apart: Floats
    pooled: Vectors
    features: Vectors


@dataclass(frozen=True)
class Workbench:
    """Measures the copies case by case; what is measured is kept on disk until the audit is done.

    Args:
        stack: The stack.
        train: Its training cases.
        segmenters: Cross-fitted on them.
        features: The ImageNet encoder.
        reference: What was measured on the real images.
        size: Longer side in pixels of the grid that structure is compared on.
        folder: Where measurements are kept.
        inputs: All that they depend on; measurements of others are not used.
    """

    stack: Stack
    train: Dataset
    segmenters: Segmenters
    features: Features
    reference: Reference
    size: int
    folder: Path
    inputs: Inputs

    def measured(self, case_id: str) -> Measured:
        """Return the measurements of a case: those that are kept, or new ones that are kept now."""
        path = self.folder / f"{file_name(case_id)}.safetensors"
        if (kept := load_arrays(path, self.inputs)) is not None:
            return Measured(**kept)
        measured = self._measure(case_id)
        save_arrays(path, vars(measured), self.inputs)
        return measured

    def disagreement(self, case_id: str, numbers: Sequence[int]) -> Region:
        """Return where copies of a case are not segmented as their mask; False for all other copies.

        Shape:
            - returns: (depth, height, width).
        """
        mask = self.train.mask(self.train.case(case_id))
        maps = np.zeros((self.stack.depth, *mask.shape), bool)
        maps[list(numbers)] = (
            self.segmenters.read(self._copies(case_id, numbers), mask, case_id).labels != mask
        )
        return maps

    def _measure(self, case_id: str) -> Measured:
        case, classes = self.train.case(case_id), self.reference.classes
        image, mask = self.train.image(case), self.train.mask(case)
        copies = self._copies(case_id, range(self.stack.depth))
        reading = self.segmenters.read(copies, mask, case_id)
        found = [agreement(labels, mask, classes) for labels in reading.labels]
        seen = self.features(copies)
        real = distances(seen.descriptor, self.reference.descriptors)
        near = nearest(real, self.reference.codes)
        return Measured(
            agreement=np.array([one.classes for one in found]),
            mean=np.array([one.mean for one in found]),
            own=real[:, self.reference.ids.index(case_id)],
            nearest=near.case,
            first=near.first,
            second=near.second,
            ssim=structural_similarity(copies, image, self.size),
            apart=distances(seen.descriptor, seen.descriptor),
            pooled=seen.pooled,
            features=reading.features,
        )

    def _copies(self, case_id: str, numbers: Sequence[int]) -> Image:
        return np.stack([self.stack.copy(case_id, number) for number in numbers])
