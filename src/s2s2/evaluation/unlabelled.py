"""Unlabelled images that networks are adapted to before they predict them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from s2s2.core.inputs import Inputs
from s2s2.data.case import Case
from s2s2.data.dataset import Dataset
from s2s2.data.identity import image_identity
from s2s2.errors import DataError, EvaluationError, listed
from s2s2.evaluation.batches import Placed, cut, read
from s2s2.networks.checkpoint import NetworkCard

FEWEST = 16
"""Fewer images than this may all be of a few patients, whose statistics are not those of a site."""
_AT_ONCE = 8
"""Images of a batch while statistics are taken. It is no option: the statistics of deeper layers depend
on it a little, and predictions must not."""


class Unlabelled:
    """The images of a data set in batches that are the same each time.

    Args:
        dataset: The images that are to be predicted, all of them, on the working grid.
        cards: Of the networks that will be adapted.

    Raises:
        EvaluationError: If there are fewer than 16 images, or a network was trained or chosen on one.
    """

    def __init__(self, dataset: Dataset, cards: Sequence[NetworkCard]) -> None:
        _require_enough(len(dataset), dataset)
        _require_new(dataset, cards)
        self.dataset = dataset

    @property
    def digest(self) -> str:
        """What stands for all of these images: with one more or less, every prediction is another."""
        return Inputs({case.id: image_identity(case) for case in self.dataset}).digest

    def __iter__(self) -> Iterator[Tensor]:
        """Yield batches, (batch, channel, height, width), in [0, 1]; what cannot be read is left out.

        Raises:
            EvaluationError: If fewer than 16 images can be read.
        """
        number = 0
        for part in cut(list(self._placed()), _AT_ONCE, even=True):
            _, images = read(self.dataset, part, {})
            number += len(images)
            if images:
                yield torch.stack(images)
        _require_enough(number, self.dataset)

    def _placed(self) -> Iterator[Placed]:
        for case in sorted(self.dataset, key=lambda case: case.id):
            try:
                yield case, self.dataset.placement(case)
            except DataError:
                continue


def _require_enough(number: int, dataset: Dataset) -> None:
    if number < FEWEST:
        raise EvaluationError(
            f"{dataset.root} has {number} images that can be read, too few to adapt a network to: expected "
            f"{FEWEST} or more. Give more images of this site, or predict without adapting."
        )


def _require_new(dataset: Dataset, cards: Sequence[NetworkCard]) -> None:
    """Refuse images that a network has learnt from."""
    learnt = {(card.domain, name) for card in cards for ids in card.split.values() for name in ids}
    seen = sorted(case.id for case in dataset if {(site, case.id) for site in _sites(case)} & learnt)
    if seen:
        raise EvaluationError(
            f"{dataset.root} holds images that the network was trained on or chosen by ({len(seen)}: "
            f"{listed(seen)}). Adapted to its own images a network can lose what it has learnt for other "
            "sites. Give images of another site, the test part alone (--split), or predict without adapting."
        )


def _sites(case: Case) -> set[str]:
    """Return the names that the site of a case may have: the folder images/ itself may have been given."""
    folders = case.image_path.resolve().parents
    above = case.id.count("/") + 1
    return {case.domain, *(folder.name for folder in folders[above : above + 1])}
