"""Copies a second a core: how fast a stack is made, without writing it.

50 training cases of the demo data (Paris), scaled to a longer side of 256 px, 8
copies each, in the order in which a stack is built. Fitting is not counted, as it
is done once; taking a case apart and clearing a donor of its foreground are.
Seconds are those of the processor and not of the clock, so that what else runs on
the machine counts little; nothing here uses a second thread. The best of three
passes is given.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import torch

import s2s2
from benchmarks.rows import row
from s2s2.data import Dataset, Split, split_by_group
from s2s2.generators import build_generator

DEMO = Path(s2s2.__file__).parent / "demo_data" / "hospitals" / "paris"
SIZE, CASES, DEPTH, PASSES = 256, 50, 8, 3
GOALS = {"appearance": 100.0, "randconv": 100.0, "composite": 50.0}


def run() -> list[dict[str, Any]]:
    """Return one row a generator."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        dataset = Dataset.open(DEMO, size=SIZE)
        split = split_by_group(dataset, counts=(CASES, 20, len(dataset) - CASES - 20))
        return [_row(name, goal, dataset, split) for name, goal in GOALS.items()]
    finally:
        torch.set_num_threads(threads)


def _row(name: str, goal: float, dataset: Dataset, split: Split) -> dict[str, Any]:
    figure = max(_copies_a_second(name, dataset, split) for _ in range(PASSES))
    return row(f"{name} at {SIZE} px", figure, "copies/s a core", goal)


def _copies_a_second(name: str, dataset: Dataset, split: Split) -> float:
    generator = build_generator(name).fit(dataset, split)
    start = time.process_time()
    for case_id in split.train:
        generator.sample(dataset.case(case_id), DEPTH, seed=0)
    return len(split.train) * DEPTH / (time.process_time() - start)


if __name__ == "__main__":
    for row in run():
        print(*row.values())
