"""A live stack: what it costs to make a copy for every visit instead of reading one.

The second row is the time of the copies of a training step, made on the core that trains,
as a share of the step itself: the default network, pairs of 128 px. With worker processes
even that is hidden.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import torch

import s2s2
from benchmarks.rows import row
from benchmarks.training_step import step_of_pairs
from s2s2.data import Dataset, Split
from s2s2.data.transforms.config import AcquisitionConfig, PhotometricConfig
from s2s2.generators import build_generator
from s2s2.stack import LiveStack, PairedDataset

DEMO = Path(s2s2.__file__).parent / "demo_data" / "hospitals" / "paris"
CASES, ROUNDS, PAIRS = 24, 9, 8


def run() -> list[dict[str, Any]]:
    """Return the pairs a second, and the share of a training step."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        stack, dataset = _live(256)
        pairs = PairedDataset(
            dataset, stack, side=256, photometric=PhotometricConfig(), acquisition=AcquisitionConfig()
        )
        pair = _fastest(lambda number, epoch: pairs[number, epoch])
        stack, _ = _live(128)
        copy = _fastest(lambda number, epoch: stack.copy(stack.generator.case_ids[number], epoch))
        step, started = step_of_pairs(PAIRS, 128), []
        for _ in range(ROUNDS):
            before = time.process_time()
            step()
            started.append(time.process_time() - before)
    finally:
        torch.set_num_threads(threads)
    return [
        row("pairs of a live stack at 256 px", 1 / pair, "pairs/s a core", 200.0),
        row(
            f"live copies of {PAIRS} pairs at 128 px over a training step",
            PAIRS * copy / min(started),
            "ratio",
            0.1,
            at_most=True,
        ),
    ]


def _live(size: int) -> tuple[LiveStack, Dataset]:
    dataset = Dataset.open(DEMO, size=size)
    dataset = dataset.subset(dataset.ids[:CASES])
    split = Split(train=dataset.ids, validation=(), test=())
    return LiveStack(build_generator("randconv").fit(dataset, split), dataset), dataset


def _fastest(make: Any) -> float:
    """Return the seconds of one: the fastest epoch, mean over the cases, by the processor's clock."""
    found = []
    for epoch in range(ROUNDS):
        before = time.process_time()
        for number in range(CASES):
            make(number, epoch)
        found.append((time.process_time() - before) / CASES)
    return min(found)


if __name__ == "__main__":
    for line in run():
        print(*line.values())
