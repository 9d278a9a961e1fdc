"""Cross-fitted segmenters: each judges copies of patients that it has not seen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional

from s2s2.audit.config import AuditConfig
from s2s2.audit.features import masked_mean
from s2s2.audit.fidelity import agreement
from s2s2.audit.folds import Fold, FoldTraining, make_folds, train_folds
from s2s2.core.progress import Progress
from s2s2.core.storage import read_json
from s2s2.core.types import Floats, Image, LabelMap, Vectors
from s2s2.data.dataset import Dataset
from s2s2.data.grid import padded, padded_side, resize_mask
from s2s2.data.split import TrainingData
from s2s2.errors import AuditError
from s2s2.networks.build import taps
from s2s2.networks.checkpoint import CARD, NetworkCard, load_network
from s2s2.networks.config import NetworkConfig
from s2s2.objective import FeatureTap


class Reading(NamedTuple):
    """What a segmenter makes of some images.

    Args:
        labels: Class ids, (n, height, width).
        features: Its encoder features inside the mask, of unit length, (n, entries); no
            entries where the network has no taps.
    """

    labels: LabelMap
    features: Vectors


class Segmenters:
    """Cross-fitted segmenters: each case is judged by one that never saw its group.

    Get them by `Segmenters.fit`. Called with images, masks and case ids they give the
    agreement of each, so they are what a tuning may be stopped by.

    Args:
        folds: The folds, in the order of the folders.
        folders: Folder of each fold's network.
        size: Longer side in pixels of the grid they see.
        working: Longer side in pixels of the working grid; None where images keep their own.
        batch: Images that go through a network at once.
        network: What they were trained as; None for built-in networks.
    """

    def __init__(
        self,
        folds: Sequence[Fold],
        folders: Sequence[Path],
        *,
        size: int,
        working: int | None,
        batch: int,
        network: NetworkConfig | None = None,
    ) -> None:
        self.folds = tuple(folds)
        self.size = size
        self._working = working
        self._folders = tuple(folders)
        self._batch = batch
        self._known = network
        self._fold_of = {case_id: number for number, fold in enumerate(folds) for case_id in fold.judged}
        self._networks: dict[int, tuple[torch.nn.Module, NetworkCard]] = {}
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

    @classmethod
    def fit(
        cls,
        data: Dataset | TrainingData,
        folder: str | Path,
        config: AuditConfig | None = None,
        progress: Progress | None = None,
    ) -> Segmenters:
        """Train one segmenter a fold of the training cases, and keep what is trained already.

        Args:
            data: The training cases of the split, and no others; of a `TrainingData` its
                training part.
            folder: Where fold0, fold1, .. are kept.
            config: Settings of the audit.
            progress: Called with steps done, steps in all and a few words.

        Raises:
            AuditError: If all cases are of one group.
            TrainingError: If the folder holds segmenters of other cases or settings.
        """
        config, folder = config or AuditConfig(), Path(folder)
        train = data.train if isinstance(data, TrainingData) else data
        working = train.size
        size = min(config.size, working or config.size)
        train = train if working == size else train.resized(size)
        folds = make_folds(train, config.folds, config.seed)
        tasks = [
            FoldTraining(number, fold, train, folder / f"fold{number}", config)
            for number, fold in enumerate(folds)
        ]
        train_folds(tasks, config.jobs, progress or (lambda done, total, words: None))
        folders = [task.folder / "network" for task in tasks]
        return cls(folds, folders, size=size, working=working, batch=config.batch, network=config.network)

    @property
    def digest(self) -> str:
        """Short digest of the weights of all segmenters."""
        cards = [read_json(folder / CARD, error=AuditError) for folder in self._folders]
        weights = json.dumps([card.get("weights_sha256") for card in cards])
        return hashlib.sha256(weights.encode()).hexdigest()[:16]

    def __call__(self, images: Image, masks: LabelMap, case_ids: Sequence[str]) -> Floats:
        """Return how well each image shows its mask: mean Dice over the classes present.

        Args:
            images: In [0, 1], on the working grid or that grid padded to a square.
            masks: Class ids.
            case_ids: The training case of each.

        Shape:
            - images: (n, channel, height, width).
            - masks: (n, height, width).
            - returns: (n,), in [0, 1].

        Raises:
            AuditError: If an id is no training case.
        """
        classes = self._network(0)[1].class_map
        predicted = self.predict(images, case_ids)
        return np.array(
            [
                agreement(labels, mask, len(classes)).mean
                for labels, mask in zip(predicted, masks, strict=True)
            ]
        )

    def predict(self, images: Image, case_ids: Sequence[str]) -> LabelMap:
        """Return what the segmenter that never saw the case's group reads from each image.

        Shape:
            - images: (n, channel, height, width), in [0, 1].
            - returns: class ids, (n, height, width).

        Raises:
            AuditError: If an id is no training case.
        """
        numbers = np.array([self.fold_of(case_id) for case_id in case_ids])
        labels = np.empty((len(images), *images.shape[2:]), np.uint8)
        for number in np.unique(numbers):
            mine = np.flatnonzero(numbers == number)
            for start in range(0, len(mine), self._batch):
                chosen = mine[start : start + self._batch]
                labels[chosen] = self._labels(self._network(int(number)), images[chosen])
        return labels

    def read(self, images: Image, mask: LabelMap, case_id: str) -> Reading:
        """Return what is read from images that show the mask of one case, and the features it is read by.

        Shape:
            - images: (n, channel, height, width), in [0, 1].
            - mask: (height, width).

        Raises:
            AuditError: If the id is no training case.
        """
        network, card = self._network(self.fold_of(case_id))
        names = taps(card.network)[0]
        labels, features = [], []
        with FeatureTap(network, names) as tap:
            for start in range(0, len(images), self._batch):
                labels.append(self._labels((network, card), images[start : start + self._batch]))
                tapped = tap.features() if names else {}
                features.append(masked_mean(tapped, self._on_grid(mask), len(labels[-1])))
        return Reading(np.concatenate(labels), np.concatenate(features))

    def fold_of(self, case_id: str) -> int:
        """Return the number of the segmenter that was kept from the case's group.

        Raises:
            AuditError: If the id is no training case.
        """
        if case_id not in self._fold_of:
            raise AuditError(
                f"Case {case_id!r} was held out of no segmenter. Segmenters judge copies of the training "
                "cases that they were cross-fitted on: fit them on the split that this case trains in."
            )
        return self._fold_of[case_id]

    @torch.inference_mode()
    def _labels(self, judge: tuple[torch.nn.Module, NetworkCard], images: Image) -> LabelMap:
        network, card = judge
        shape = (images.shape[2], images.shape[3])
        seen = self._seen(shape)
        batch = torch.from_numpy(np.ascontiguousarray(images)).to(self._device)
        if seen != shape:
            batch = functional.interpolate(batch, seen, mode="bilinear", antialias=True, align_corners=False)
        side = self._side(seen)
        padded = functional.pad(batch.clamp(0, 1), (0, side - seen[1], 0, side - seen[0]))
        logits = network(card.normalisation(padded))[..., : seen[0], : seen[1]].float()
        if seen != shape:
            logits = functional.interpolate(logits, shape, mode="bilinear", align_corners=False)
        labels: LabelMap = logits.argmax(1).to(torch.uint8).cpu().numpy()
        return labels

    def _seen(self, shape: tuple[int, int]) -> tuple[int, int]:
        """Return height and width that an image has on the segmenters' grid, before padding.

        An image that was padded to a square is longer than the working grid, and keeps its scale.
        """
        scale = self.size / (self._working or max(shape))
        return max(1, round(shape[0] * scale)), max(1, round(shape[1] * scale))

    def _side(self, seen: tuple[int, int]) -> int:
        return padded_side(max(self.size, *seen))

    def _on_grid(self, mask: LabelMap) -> LabelMap:
        """Return a mask as the segmenters' padded grid shows it."""
        seen = self._seen((mask.shape[0], mask.shape[1]))
        return padded(resize_mask(mask, seen), self._side(seen))

    def _network(self, number: int) -> tuple[torch.nn.Module, NetworkCard]:
        if number not in self._networks:
            self._networks[number] = load_network(self._folders[number], self._device, known=self._known)
        return self._networks[number]
