"""Time that networks and generators take, measured on this machine with a few steps."""

from __future__ import annotations

import os
from dataclasses import replace
from itertools import chain, islice, zip_longest
from typing import TYPE_CHECKING

import torch

from s2s2.core.timing import seconds_of
from s2s2.data.dataset import Dataset
from s2s2.data.grid import padded_side
from s2s2.networks.build import build_network
from s2s2.run.config import RunConfig
from s2s2.run.data import RunData

if TYPE_CHECKING:
    from s2s2.data.split import Split
    from s2s2.generators import Generator

TIMED_IMAGES = 4
TIMED_CASES = 12


def training_seconds(config: RunConfig, data: RunData, tests: int, jobs: int) -> tuple[float, float]:
    """Return about how long one training takes of the whole run's time, and its predictions.

    Args:
        config: Settings of the run.
        data: Its data.
        tests: Cases that each network predicts.
        jobs: Trainings side by side.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(max(1, (os.cpu_count() or 1) // jobs))
    step, image = network_seconds(config, data.home)
    torch.set_num_threads(threads)
    return config.train.steps * step / jobs, tests * image / jobs


def network_seconds(config: RunConfig, home: Dataset) -> tuple[float, float]:
    """Return the seconds of a training step, and of the prediction of one image."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    channels = home.channels
    network = build_network(config.network, channels=channels, classes=len(home.class_map)).to(device)
    side = config.train.patch or padded_side(config.size)
    # Few images are timed, since a whole step of large ones takes long on a CPU.
    count = min(TIMED_IMAGES, config.train.images_per_step)
    images = torch.rand(count, channels, side, side, device=device)

    def step() -> None:
        network(images).square().mean().backward()

    def predict() -> None:
        with torch.inference_mode():
            network(images)

    return seconds_of(step) / count * config.train.images_per_step, seconds_of(predict) / count


def copy_seconds(generator: Generator, home: Dataset, split: Split, seed: int) -> float:
    """Return the seconds of a copy; with a part that learns, of the slowest such part."""
    if generator.learners:
        return max(part.cost(home, split).image_s for part in generator.learners)
    few = _few_of_each_group(home.subset(split.train))
    generator.fit(home, replace(split, train=few))
    case = home.case(split.train[0])
    return seconds_of(lambda: generator.sample(case, 1, seed))


def _few_of_each_group(train: Dataset, at_most: int = TIMED_CASES) -> tuple[str, ...]:
    """Return cases of as many groups as there are: donors come from other groups only."""
    by_group: dict[str, list[str]] = {}
    for case in train:
        by_group.setdefault(case.group, []).append(case.id)
    in_turn = chain.from_iterable(zip_longest(*by_group.values()))
    return tuple(islice((case_id for case_id in in_turn if case_id is not None), at_most))
