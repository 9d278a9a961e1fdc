"""Reading one copy out of a stack, against the published layout, and the pairs made of it.

The published layout is a NumPy archive a mask of 16 float32 images, written by
plain `np.savez` (not compressed: 48 MiB at 512 x 512 x 3). Reading one image of it
reads all. Both files lie in the page cache and are read by one thread.

The images are 16 frames of the demo data, scaled from 192 to 512 px (bicubic) with
noise of standard deviation 1 of 255 added to each pixel and channel, as a mild
sensor has: without it, enlarged images would compress better than recorded ones.
Values are whole steps of 1/255, as in any image that came from 8 bit, so both
files hold the same numbers to the last bit; this is checked.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

import s2s2
from benchmarks.rows import row
from s2s2.core.storage import write_json
from s2s2.data import Case, Dataset, Split, split_by_group
from s2s2.data.transforms.config import AcquisitionConfig, PhotometricConfig
from s2s2.generators.base import Generator
from s2s2.stack import PairedDataset, Stack, build_stack
from s2s2.stack.pages import encode
from s2s2.stack.store import case_path, manifest_path

DEMO = Path(s2s2.__file__).parent / "demo_data" / "hospitals"
SIDE, DEPTH, NOISE, ROUNDS = 512, 16, 1.0, 12


def run() -> list[dict[str, Any]]:
    """Return one row a figure."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with tempfile.TemporaryDirectory() as folder:
            return [*_reading(Path(folder)), _pairs(Path(folder))]
    finally:
        torch.set_num_threads(threads)


def _reading(folder: Path) -> list[dict[str, Any]]:
    images = _frames()
    archive = folder / "copies.npz"
    np.savez(archive, images=images.astype(np.float32) / np.float32(255))
    stack = _stored(images, folder / "stack")
    for number, image in enumerate(np.load(archive)["images"]):
        if not np.array_equal(stack.copy("case", number), image):
            raise RuntimeError(f"copy {number} of the stack is not the image of the archive")
    archived = _fastest(lambda number: np.load(archive)["images"][number])
    warm = _fastest(lambda number: stack.copy("case", number))
    first = _fastest(lambda number: Stack.open(stack.path).copy("case", number))
    size = archive.stat().st_size / case_path(stack.path, "case").stat().st_size
    return [
        row(
            "read a copy of 16 at 512 px, npz / stack",
            archived / warm,
            "times faster",
            20,
        ),
        row("the same, with the stack opened anew", archived / first, "times faster", 10),
        row("size of 16 copies at 512 px, npz / stack", size, "times smaller", 8),
    ]


def _pairs(folder: Path, rounds: int = 12) -> dict[str, Any]:
    """Measure whole pairs at 128 px: copy, geometry, light of both views, acquisition."""
    dataset = Dataset.open(DEMO / "paris", size=128)
    split = split_by_group(dataset, counts=(32, 8, 8))
    train = dataset.subset(split.train)
    stack = build_stack(_Real(train), dataset, split, folder / "pairs", depth=4, seed=0)
    pairs = PairedDataset(
        train, stack, side=128, photometric=PhotometricConfig(), acquisition=AcquisitionConfig()
    )
    best = 0.0
    for epoch in range(rounds):
        start = time.process_time()
        for index in range(len(pairs)):
            pairs[index, epoch]
        best = max(best, len(pairs) / (time.process_time() - start))
    return row("pairs made a second and core at 128 px", best, "pairs/s", 400)


class _Real(Generator):
    """A generator that gives the real image: the content is real and costs nothing."""

    name = "real"

    def __init__(self, train: Dataset) -> None:
        self.train = train

    @property
    def case_ids(self) -> tuple[str, ...]:
        return self.train.ids

    def fit(self, dataset: Dataset, split: Split) -> _Real:
        return self

    def sample(self, case: Case, depth: int, seed: int, *, start: int = 0) -> npt.NDArray[np.float32]:
        return np.stack([self.train.image(case)] * depth)


def _frames() -> npt.NDArray[np.uint8]:
    """Return DEPTH frames of four sites, shape (copy, channel, height, width)."""
    rng = np.random.default_rng(0)
    files = sorted(DEMO.glob("*/images/*"))
    frames = []
    for file in files[:: len(files) // DEPTH][:DEPTH]:
        with Image.open(file) as image:
            large = np.asarray(
                image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BICUBIC), np.float32
            )
        noisy = large + NOISE * rng.standard_normal(large.shape, dtype=np.float32)
        frames.append(np.clip(np.rint(noisy), 0, 255).astype(np.uint8).transpose(2, 0, 1))
    return np.stack(frames)


def _stored(images: npt.NDArray[np.uint8], folder: Path) -> Stack:
    case_path(folder, "case").parent.mkdir(parents=True)
    case_path(folder, "case").write_bytes(encode(images, {"case": "case"}))
    fields = {"seed": 0, "depth": DEPTH, "size": SIDE, "channels": 3, "bits": 8, "source": []}
    cases = {"case": {"mask": ""}}
    write_json(
        manifest_path(folder), {"generator": {"name": "frames", "config": {}}, **fields, "cases": cases}
    )
    return Stack.open(folder)


def _fastest(read: Callable[[int], Any]) -> float:
    """Return the time in s of reading a copy: the fastest of ROUNDS reads, mean over the copies.

    The fastest read tells what the work takes when nothing else runs.
    """
    best = np.full(DEPTH, np.inf)
    for seed in range(ROUNDS):
        for number in np.random.default_rng(seed).permutation(DEPTH).tolist():
            start = time.perf_counter()
            read(number)
            best[number] = min(best[number], time.perf_counter() - start)
    return float(best.mean())
