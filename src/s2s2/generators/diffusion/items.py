"""Training images on the network's grid, turned and zoomed together with their masks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.data import Dataset as Items

from s2s2.core.streams import stream
from s2s2.core.types import Image
from s2s2.data.case import Case
from s2s2.data.dataset import Dataset
from s2s2.data.grid import padded_side, resize_image

SETTINGS = 8
"""Numbers that say how an image was moved; all 0 where it was not."""
MOST_ZOOM = 1.3
MOST_DEGREES = 20.0
MOST_SHIFT = 0.1


@dataclass(frozen=True)
class Grid:
    """The square that the network works on, and the way back to the working grid.

    Args:
        train: The training cases on their working grid.
        low: The same cases on the network's grid.
        side: Of the square that holds any of them, padded at the right and at the bottom.
    """

    train: Dataset
    low: Dataset
    side: int

    @classmethod
    def of(cls, train: Dataset, resolution: int, *, multiple: int) -> Grid:
        """Return the grid of images of at most this longer side, padded to a multiple."""
        longest = train.size or max(max(train.original_shape(case)) for case in train)
        size = min(longest, resolution)
        return cls(train, train if train.size == size else train.resized(size), padded_side(size, multiple))

    @property
    def size(self) -> int:
        """Longer side of the images on the network's grid."""
        return self.low.size or self.side

    @property
    def channels(self) -> int:
        """Of the images."""
        return self.train.channels

    @property
    def condition_channels(self) -> int:
        """One for each class, and one for what is not padding."""
        return len(self.train.class_map) + 1

    def image(self, case: Case) -> Tensor:
        """Return the real image in [0, 1], padded with 0.

        Shape:
            - returns: (channel, side, side).
        """
        return self._padded(torch.from_numpy(self.low.image(case)))

    def condition(self, case: Case) -> Tensor:
        """Return the mask as one channel a class, and what is not padding.

        Shape:
            - returns: (class + 1, side, side), 0 or 1.
        """
        mask = torch.from_numpy(self.low.mask(case).astype(np.int64))
        classes = functional.one_hot(mask, len(self.train.class_map)).permute(2, 0, 1)
        return self._padded(torch.cat([classes, torch.ones_like(classes[:1])]).float())

    def restored(self, sample: Tensor, case: Case) -> Image:
        """Return a sample on the case's working grid, in [0, 1]."""
        height, width = self.low.mask(case).shape
        image = sample[:, :height, :width].clamp(0, 1).cpu().numpy()
        return resize_image(np.ascontiguousarray(image), self.train.mask(case).shape)

    def _padded(self, planes: Tensor) -> Tensor:
        height, width = planes.shape[1:]
        return functional.pad(planes, (0, self.side - width, 0, self.side - height))


class MaskedImages(Items[tuple[Tensor, Tensor, Tensor]]):
    """Image, condition and settings of each training case, moved at random.

    Args:
        grid: The network's grid.
        augment: Share of the images that are moved.
        seed: Of the moves.
    """

    def __init__(self, grid: Grid, *, augment: float, seed: int) -> None:
        self.grid, self.augment, self.seed = grid, augment, seed

    def __len__(self) -> int:
        return len(self.grid.low)

    def __getitem__(self, key: tuple[int, int]) -> tuple[Tensor, Tensor, Tensor]:
        number, turn = key
        case = self.grid.low[number]
        image, condition = self.grid.image(case), self.grid.condition(case)
        rng = stream(self.seed, "diffusion", "move", case.id, turn)
        if rng.random() >= self.augment:
            return image, condition, torch.zeros(SETTINGS)
        return move(image, condition, rng)


def move(image: Tensor, condition: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Flip, turn, zoom and shift an image with its condition, and say how.

    What comes in from beyond the edge is padding: 0 in the image and in the condition.

    Shape:
        - image: (channel, side, side).
        - condition: (class + 1, side, side).
        - returns: as they came, and (SETTINGS,).

    Reference:
        Karras et al., *Elucidating the design space of diffusion-based generative
        models*, NeurIPS 2022, appendix F.2 (augmentation that the network is shown).
    """
    flip = int(rng.integers(2))
    zoom, angle = rng.uniform(-1, 1), rng.uniform(-1, 1)
    shift = rng.uniform(-1, 1, 2)
    quarter = int(rng.integers(4)) if rng.random() < 0.5 else 0
    scale = MOST_ZOOM**zoom
    turn = np.deg2rad(MOST_DEGREES * angle + 90.0 * quarter)
    cos, sin = np.cos(turn) / scale, np.sin(turn) / scale
    mirror = -1.0 if flip else 1.0
    matrix = torch.tensor(
        [
            [mirror * cos, -mirror * sin, 2 * MOST_SHIFT * shift[0]],
            [sin, cos, 2 * MOST_SHIFT * shift[1]],
        ],
        dtype=torch.float32,
    )
    grid = functional.affine_grid(matrix[None], [1, 1, *image.shape[1:]], align_corners=False)
    moved = functional.grid_sample(image[None], grid, mode="bilinear", align_corners=False)[0]
    shown = functional.grid_sample(condition[None], grid, mode="nearest", align_corners=False)[0]
    settings = [flip, quarter == 1, quarter == 2, quarter == 3, zoom, angle, *shift]
    return moved * shown[-1:], shown, torch.tensor([float(each) for each in settings])
