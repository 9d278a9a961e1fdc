"""Stacks with planted faults, and judges that are trained in a moment."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from PIL import Image

from s2s2.audit import AuditConfig
from s2s2.core.streams import stream
from s2s2.data import Case, Dataset, Split, split_by_group
from s2s2.generators import Generator
from s2s2.networks import NetworkConfig
from s2s2.stack import Stack, build_stack
from tests.drawn import SMALL_NETWORK, draw_site

ABLE = AuditConfig(
    folds=2,
    steps=200,
    images_per_step=8,
    size=64,
    views=3,
    neighbours=4,
    draws=100,
    jobs=1,
    network=NetworkConfig(
        "monai.networks.nets.UNet",
        {
            "spatial_dims": 2,
            "in_channels": "{channels}",
            "out_channels": "{classes}",
            "channels": [8, 16, 32, 32],
            "strides": [2, 2, 2],
            "norm": "BATCH",
        },
        ("model.1.submodule.1.submodule.1",),
    ),
)
"""Small judges that can tell one drawn ellipse from another; they take some seconds."""
QUICK = replace(
    ABLE, steps=2, images_per_step=4, size=32, views=2, draws=20, network=NetworkConfig(**SMALL_NETWORK)
)
"""Judges that have learnt nothing and are trained in a moment."""


class Redrawn(Generator):
    """Wholly new images of a case's mask, drawn as `tests.drawn` draws; some are faults.

    Args:
        faults: "wrong" (another case's image), "memorised" (a training image saved again), by
            case id and number of the copy.
    """

    name = "redrawn"
    traits: frozenset[str] = frozenset()
    case_ids: tuple[str, ...] = ()

    def __init__(self, faults: dict[tuple[str, int], str] | None = None, traits: Any = ()) -> None:
        self.faults = faults or {}
        self.traits = frozenset(traits)
        self._train: Dataset | None = None

    def config(self) -> dict[str, Any]:
        return {"faults": len(self.faults)}

    def fit(self, dataset: Dataset, split: Split) -> Self:
        self._train, self.case_ids = dataset.subset(split.train), split.train
        return self

    def sample(self, case: Case, depth: int, seed: int, *, start: int = 0) -> np.ndarray:
        return np.stack([self._copy(case, number, seed) for number in range(start, start + depth)])

    def _copy(self, case: Case, number: int, seed: int) -> np.ndarray:
        assert self._train is not None
        rng = stream(seed, "redrawn", case.id, number)
        fault = self.faults.get((case.id, number), "")
        if fault == "memorised":
            # Its own real image or, as often, another one of the training set.
            source = case if number % 2 else self._train[int(rng.integers(len(self._train)))]
            return stored(self._train.image(source))
        mask = self._train.mask(case)
        if fault == "wrong":
            others = [other for other in self._train if other.group != case.group]
            mask = self._train.mask(others[int(rng.integers(len(others)))])
        return redraw(mask, rng, self._train.channels)


def redraw(mask: np.ndarray, rng: np.random.Generator, channels: int) -> np.ndarray:
    """Return a new image of a mask in the manner of `tests.drawn.draw_case`, (channel, height, width)."""
    image = np.repeat((0.35 + 0.1 * rng.standard_normal(mask.shape))[..., None], channels, axis=-1)
    image *= 0.8 + 0.4 * rng.random(channels)
    for label in np.unique(mask[mask > 0]):
        inside = mask == label
        colour = rng.uniform(0.6, 0.9, channels)
        image[inside] = colour + 0.05 * rng.standard_normal((inside.sum(), channels))
    return np.clip(image, 0, 1).transpose(2, 0, 1).astype(np.float32)


def stored(image: np.ndarray, quality: int = 90) -> np.ndarray:
    """Return an image after JPEG, (channel, height, width) in [0, 1]."""
    pixels = np.rint(image.transpose(1, 2, 0) * 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer), np.float32).transpose(2, 0, 1) / np.float32(255)


def plant(ids: tuple[str, ...], depth: int, share: float = 0.1, seed: int = 0) -> dict[tuple[str, int], str]:
    """Return which copies are to be wrong and which memorised, `share` of all each."""
    slots = [(case_id, number) for case_id in ids for number in range(depth)]
    order = stream(seed, "plant").permutation(len(slots))
    count = round(share * len(slots))
    wrong = {slots[place]: "wrong" for place in order[:count]}
    return wrong | {slots[place]: "memorised" for place in order[count : 2 * count]}


@dataclass(frozen=True)
class Home:
    """Drawn cases, divided, with a stack of redrawn images."""

    dataset: Dataset
    split: Split
    stack: Stack
    faults: dict[tuple[str, int], str]
    judges: Path

    @property
    def train(self) -> Dataset:
        return self.dataset.subset(self.split.train)


def home(root: Path, *, size: int, cases: int, depth: int, share: float = 0.1, traits: Any = ()) -> Home:
    """Draw a site and build a stack with planted faults."""
    shape = (size, size) if size > 32 else (40, 56)
    dataset = Dataset.open(draw_site(root / "site", cases=cases, shape=shape), size=size)
    split = split_by_group(dataset, fractions=(0.8, 0.1, 0.1))
    faults = plant(split.train, depth, share)
    generator = Redrawn(faults, traits)
    stack = build_stack(generator, dataset, split, root / "stack", depth=depth, seed=0)
    return Home(dataset, split, stack, faults, root / "judges")


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
