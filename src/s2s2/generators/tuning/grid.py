"""Cases that a tuning is judged by, and picture sheets of their samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from s2s2.core.streams import stream
from s2s2.core.types import Image, LabelMap
from s2s2.data.case import Case
from s2s2.data.dataset import Dataset
from s2s2.data.grid import padded, padded_side
from s2s2.pictures import SheetRow, displayed, draw_sheet, painted


@dataclass(frozen=True)
class JudgedCases:
    """The training cases whose samples are judged and drawn.

    Args:
        train: The training cases on the working grid.
        cases: Those that are judged; the first ones are drawn.
    """

    train: Dataset
    cases: tuple[Case, ...]

    @classmethod
    def drawn(cls, train: Dataset, count: int, seed: int) -> JudgedCases:
        """Choose cases by a stream of their own, so that every check judges the same."""
        order = stream(seed, "judged").permutation(len(train))[:count]
        return cls(train, tuple(train[int(index)] for index in order))

    def square(self, images: Sequence[Image]) -> tuple[Image, LabelMap]:
        """Return images and masks, padded at the right and at the bottom to one square.

        Shape:
            - returns: (image, channel, side, side), (image, side, side).
        """
        masks = [self.train.mask(case) for case in self.cases]
        side = padded_side(max(max(mask.shape) for mask in masks))
        return (
            np.stack([padded(image, side) for image in images]),
            np.stack([padded(mask, side) for mask in masks]),
        )


def draw_samples(path: Path, judged: JudgedCases, rows: Sequence[tuple[Case, Sequence[Image]]]) -> None:
    """Draw one row for each case: the real image, its mask in the class map's colours, the samples.

    Args:
        path: A JPEG file.
        judged: Where real images and masks come from.
        rows: Each case with its samples, (channel, height, width) in [0, 1].
    """
    train = judged.train
    draw_sheet(
        [
            SheetRow(
                case.id,
                {
                    "real image": displayed(train.image(case)),
                    "mask": painted(train.mask(case), train.class_map.colours),
                    **{f"sample {number}": displayed(sample) for number, sample in enumerate(samples)},
                },
            )
            for case, samples in rows
        ],
        path,
    )
