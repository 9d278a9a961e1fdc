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
from s2s2.report.pictures import data_uri, outlines

if TYPE_CHECKING:
    from s2s2.data.dataset import Dataset
    from s2s2.stack import Stack
    from s2s2.training.config import TrainConfig


@dataclass(frozen=True, slots=True)
class Pair:
    """Both views of one mask after all changes."""

    case: str
    panels: tuple[Panel, Panel]


def seen_pairs(
    train: Dataset, stack: Stack, config: TrainConfig, seed: int, *, cases: int = 4, side: int = 224
) -> tuple[Pair, ...]:
    """Show pairs as the training drew them in its first pass over the cases.

    Args:
        train: Training cases on the working grid.
        stack: Their stack.
        config: Settings of the training.
        seed: Of the training.
        cases: How many pairs.
        side: Longest side of a picture in pixels.
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
    return tuple(_pair(pairs[index, 0], side) for index in spread(list(range(len(pairs))), cases))


def _pair(item: Mapping[str, Any], side: int) -> Pair:
    mask = item["mask"].numpy().astype(np.uint8)
    # A case whose copies are all left out shows its real image a second time.
    number = int(item["copy"])
    second = f"copy {number}" if number >= 0 else "real, again"
    real, synthetic = (
        _view(item[key].numpy(), mask, side, f"{words} of {item['case']} as the network saw it", label)
        for key, words, label in (
            ("image", "Real image", "real"),
            ("synthetic", "Synthetic copy" if number >= 0 else "Second view", second),
        )
    )
    return Pair(str(item["case"]), (real, synthetic))


def _view(image: Any, mask: Any, side: int, alt: str, label: str) -> Panel:
    picture = displayed(image, side)
    height, width = picture.shape[:2]
    return Panel(data_uri(picture), alt, width, height, label, truth=outlines(mask, (height, width)))
