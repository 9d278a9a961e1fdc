"""Training pairs against albumentations and MONAI: the same kinds of changes, one core, images in memory.

A pair is a real image, a copy and their mask: one affine map with flips for all three,
brightness, contrast, gamma and colour of each image, and blur, lost resolution, noise and
JPEG compression of the copy with probability one half each. All sides end in tensors that a
network takes. Albumentations works on 8 bit by OpenCV; MONAI has no change of colour and no
JPEG, so it does less. Vignettes are drawn by s2s2 alone.

All sides take turns at each pair, the draws of a pair are the same in every round, and the
fastest round counts: what the work takes when nothing else runs. Times are those of the
processor.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

import s2s2
from benchmarks.rows import row
from s2s2.core.types import Image
from s2s2.data import Dataset
from s2s2.data.transforms.config import AcquisitionConfig, PhotometricConfig
from s2s2.stack import PairedDataset

DEMO = Path(s2s2.__file__).parent / "demo_data" / "hospitals" / "paris"
SIZES, CASES, ROUNDS = (128, 256, 352), 24, 15
Make = Callable[[int], Any]


def run() -> list[dict[str, Any]]:
    """Return one row for each size and each of the others."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return [line for size in SIZES for line in _rows(size)]
    finally:
        torch.set_num_threads(threads)


def _rows(size: int) -> list[dict[str, Any]]:
    dataset = Dataset.open(DEMO, size=size)
    dataset = dataset.subset(dataset.ids[:CASES])
    seconds = fastest(
        {"s2s2": ours(dataset), "albumentations": albumentations(dataset), "MONAI": monai(dataset)}
    )
    return [
        row(
            f"a pair at {size} px, s2s2 over {other}",
            seconds["s2s2"] / seconds[other],
            "ratio",
            goal,
            at_most=True,
        )
        for other, goal in (("albumentations", 1.0), ("MONAI", 0.5))
    ]


def fastest(sides: dict[str, tuple[Make, Make]]) -> dict[str, float]:
    """Return the seconds of a pair on each side: the fastest round of each pair, mean over the pairs.

    Args:
        sides: What fixes the draws of a pair, which is not timed, and what makes it.
    """
    best = {name: np.full(CASES, np.inf) for name in sides}
    for turn in range(ROUNDS):
        order = list(sides)[:: 1 if turn % 2 else -1]
        for number in range(CASES):
            for name in order:
                seed, make = sides[name]
                seed(number)
                started = time.process_time()
                make(number)
                best[name][number] = min(best[name][number], time.process_time() - started)
    return {name: float(times.mean()) for name, times in best.items()}


def ours(dataset: Dataset) -> tuple[Make, Make]:
    """Return `PairedDataset` with the defaults of a training."""
    pairs = PairedDataset(
        dataset,
        _Memory(dataset),  # type: ignore[arg-type]
        side=dataset.size or 0,
        photometric=PhotometricConfig(),
        acquisition=AcquisitionConfig(),
    )
    return lambda number: None, lambda number: pairs[number, number]


class _Memory:
    """A stack of one copy a mask, mirrored images, in memory."""

    depth, marks = 1, {}

    def __init__(self, dataset: Dataset) -> None:
        self.copies = {case.id: dataset.image(case)[:, :, ::-1].copy() for case in dataset}

    def verify(self, dataset: Dataset) -> None:
        """Accept the cases that it was made from."""

    def copy(self, case_id: str, number: int) -> Image:
        return self.copies[case_id]


def albumentations(dataset: Dataset) -> tuple[Make, Make]:
    """Return the same by albumentations, on 8 bit."""
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # else the import asks the network
    import albumentations as A
    import cv2

    cv2.setNumThreads(1)
    images = [_canvas(np.rint(dataset.image(case) * 255).astype(np.uint8), dataset) for case in dataset]
    images = [np.ascontiguousarray(image.transpose(1, 2, 0)) for image in images]
    copies = [image[:, ::-1].copy() for image in images]
    masks = [_canvas(dataset.mask(case)[None], dataset)[0] for case in dataset]
    shape = [
        A.HorizontalFlip(p=0.5),
        A.VerticalFlip(p=0.5),
        A.Affine(rotate=(-30, 30), scale=(0.8, 1.25), translate_percent=(-0.1, 0.1), p=1),
    ]
    light = A.Compose(
        [
            A.RandomBrightnessContrast((-0.1, 0.1), (-0.25, 0.3), p=1),
            A.RandomGamma((75, 130), p=1),
            A.HueSaturationValue((-5, 5), (-60, 60), (0, 0), p=1),
        ]
    )
    worse = [
        A.GaussianBlur(blur_limit=0, sigma_limit=(0.01, (dataset.size or 0) / 64), p=0.5),
        A.Downscale(
            (0.25, 1.0), interpolation_pair={"downscale": cv2.INTER_AREA, "upscale": cv2.INTER_LINEAR}, p=0.5
        ),
        A.GaussNoise((0, 0.08), p=0.5),
        A.ImageCompression(quality_range=(15, 90), p=0.5),
    ]
    shape, worse = A.Compose(shape, additional_targets={"synthetic": "image"}), A.Compose(worse)

    def seed(number: int) -> None:
        for part in (shape, light, worse):
            part.set_random_seed(number)

    def make(number: int) -> Any:
        moved = shape(image=images[number], synthetic=copies[number], mask=masks[number])
        image = light(image=moved["image"])["image"]
        synthetic = worse(image=light(image=moved["synthetic"])["image"])["image"]
        return _tensor(image), _tensor(synthetic), torch.from_numpy(moved["mask"].astype(np.int64))

    return seed, make


def monai(dataset: Dataset) -> tuple[Make, Make]:
    """Return what MONAI has of the same, on float32."""
    from monai import transforms as M

    images = [torch.from_numpy(_canvas(dataset.image(case), dataset)) for case in dataset]
    masks = [torch.from_numpy(_canvas(dataset.mask(case)[None], dataset)) for case in dataset]
    keys = ("image", "synthetic", "mask")
    blur = (0.01, (dataset.size or 0) / 64)
    light: list[Any] = []
    for key in keys[:2]:
        light += [
            M.RandScaleIntensityFixedMeand(key, factors=(-0.25, 0.3), prob=1),
            M.RandShiftIntensityd(key, offsets=0.1, prob=1),
            M.RandAdjustContrastd(key, gamma=(0.75, 1.3), prob=1),
        ]
    changes = M.Compose(
        [
            M.RandFlipd(keys, prob=0.5, spatial_axis=0),
            M.RandFlipd(keys, prob=0.5, spatial_axis=1),
            M.RandAffined(
                keys,
                prob=1,
                rotate_range=0.52,
                scale_range=(-0.2, 0.25),
                translate_range=0.1 * (dataset.size or 0),
                mode=("bilinear", "bilinear", "nearest"),
                padding_mode="zeros",
            ),
            *light,
            M.RandGaussianSmoothd("synthetic", blur, blur, prob=0.5),
            M.RandSimulateLowResolutiond(
                "synthetic",
                prob=0.5,
                zoom_range=(0.25, 1.0),
                downsample_mode="area",
                upsample_mode="bilinear",
            ),
            M.RandGaussianNoised("synthetic", prob=0.5, std=0.08),
        ]
    )

    def make(number: int) -> Any:
        given = {"image": images[number], "synthetic": images[number].flip(-1), "mask": masks[number]}
        return changes(given)

    return lambda number: changes.set_random_state(number), make


def _canvas(pixels: Any, dataset: Dataset) -> Any:
    """Pad at the right and at the bottom to a square, as training does."""
    side = dataset.size or 0
    canvas = np.zeros((len(pixels), side, side), pixels.dtype)
    canvas[:, : pixels.shape[1], : pixels.shape[2]] = pixels
    return canvas


def _tensor(image: Any) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1))).float().div_(255)


if __name__ == "__main__":
    for line in run():
        print(*line.values())
