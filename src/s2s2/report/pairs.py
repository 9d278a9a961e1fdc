"""What the network saw: pairs of views as a training step receives them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from s2s2.data.grid import padded_side
from s2s2.data.transforms.config import AcquisitionConfig, GeometryConfig, PhotometricConfig
from s2s2.pictures import displayed
from s2s2.report.gallery import Panel, spread
from s2s2.report.pictures import data_uri, outlines
from s2s2.report.settings import Settings

if TYPE_CHECKING:
    from s2s2.data.dataset import Dataset
    from s2s2.stack import Stack


@dataclass(frozen=True, slots=True)
class Pair:
    """Both views of one mask after all changes."""

    case: str
    panels: tuple[Panel, Panel]


def seen_pairs(
    train: Dataset, stack: Stack, manifest: Mapping[str, Any], *, cases: int = 4, side: int = 224
) -> tuple[Pair, ...]:
    """Show pairs with the run's own changes of geometry, light and acquisition.

    They are drawn by the rules and the seed of the training, from its first pass over
    the cases. Without the run's settings nothing is shown, rather than something untrue.

    Args:
        train: Training cases on the working grid.
        stack: Their stack.
        manifest: Of the run; ``settings`` is read.
        cases: How many pairs.
        side: Longest side of a picture in pixels.
    """
    settings = Settings(manifest)
    geometry = settings.fill(GeometryConfig, "geometry")
    if geometry is None or train.size is None:
        return ()
    from s2s2.stack import PairedDataset

    seeds = manifest.get("seeds") or [0]
    pairs = PairedDataset(
        train,
        stack,
        view="stack",
        side=padded_side(train.size),
        patch=settings.get("patch"),
        geometry=geometry,
        photometric=settings.fill(PhotometricConfig, "photometric") or PhotometricConfig(),
        acquisition=settings.fill(AcquisitionConfig, "acquisition") or AcquisitionConfig(),
        seed=int(seeds[0]),
    )
    return tuple(_pair(pairs[index, 0], side) for index in spread(list(range(len(pairs))), cases))


def _pair(item: Mapping[str, Any], side: int) -> Pair:
    mask = item["mask"].numpy().astype(np.uint8)
    real, synthetic = (
        _view(item[key].numpy(), mask, side, f"{words} of {item['case']} as the network saw it", label)
        for key, words, label in (
            ("image", "Real image", "real"),
            ("synthetic", "Synthetic copy", f"copy {int(item['copy'])}"),
        )
    )
    return Pair(str(item["case"]), (real, synthetic))


def _view(image: Any, mask: Any, side: int, alt: str, label: str) -> Panel:
    picture = displayed(image, side)
    height, width = picture.shape[:2]
    return Panel(data_uri(picture), alt, width, height, label, truth=outlines(mask, (height, width)))
