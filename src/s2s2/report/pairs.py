"""Pairs of views as a training step receives them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from s2s2.data.grid import padded_side
from s2s2.pictures import displayed
from s2s2.report.elements import Panel
from s2s2.report.gallery import spread
from s2s2.report.volumes.words import called, own_channels

if TYPE_CHECKING:
    from s2s2.data.dataset import Dataset
    from s2s2.stack import Stack
    from s2s2.training.config import TrainConfig


_SHOWN, _SIDE = 4, 224
"""How many pairs are shown, and the longest side of a picture in pixels."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Both views of one mask after all changes."""

    case: str
    panels: tuple[Panel, Panel]


def seen_pairs(train: Dataset, stack: Stack, config: TrainConfig, seed: int) -> tuple[Pair, ...]:
    """Show pairs as the training drew them in its first pass over the cases.

    Args:
        train: Training cases on the working grid.
        stack: Their stack.
        config: Settings of the training.
        seed: Of the training.
    """
    if train.size is None:
        return ()
    from s2s2.stack import PairedDataset

    pairs = PairedDataset(
        train,
        stack,
        view="stack",
        side=padded_side(train.size),
        patch=config.patch,
        geometry=config.geometry,
        photometric=config.photometric,
        acquisition=config.acquisition,
        marked=config.marked,
        seed=seed,
    )
    return tuple(_pair(train, pairs[index, 0]) for index in spread(list(range(len(pairs))), _SHOWN))


def _pair(train: Dataset, item: Mapping[str, Any]) -> Pair:
    mask = item["mask"].numpy().astype(np.uint8)
    # A case whose copies are all left out shows its real image a second time.
    number = int(item["copy"])
    name = called(train, train.case(str(item["case"])))
    second = f"copy {number}" if number >= 0 else "real, again"
    real, synthetic = (
        Panel.drawn(
            displayed(own_channels(train, item[key].numpy()), _SIDE),
            f"{words} of {name} as the network saw it",
            label,
            truth=mask,
        )
        for key, words, label in (
            ("image", "Real image", "real"),
            ("synthetic", "Synthetic copy" if number >= 0 else "Second view", second),
        )
    )
    return Pair(str(item["case"]), (real, synthetic))
