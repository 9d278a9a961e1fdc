"""What a run would do and how long it may take, from a few steps timed on this machine."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import torch
from rich.table import Table

from s2s2.data.geometry import padded_side
from s2s2.data.split import Split, split_by_group
from s2s2.networks.build import build_network
from s2s2.pipeline.config import RunConfig
from s2s2.pipeline.trainings import default_jobs
from s2s2.pipeline.workspace import RunData, Workspace, open_data
from s2s2.training.arms import get_arm

TIMED_STEPS = 2
TIMED_IMAGES = 4


def estimate(config: RunConfig) -> Table:
    """Return a table of the stages of a run, with the seconds that each may take.

    A training step, a forward pass and a synthetic image are timed on this machine;
    nothing is written.
    """
    data = open_data(config)
    split = planned_split(config, data)
    tests = sum(map(len, data.tests(split).values()))
    trainings, jobs = len(config.arms) * config.seeds, training_jobs(config)
    train, predict = training_seconds(config, data, tests)
    copies = len(split.train) * config.stack.depth
    needs_stack = any(get_arm(arm).view == "stack" for arm in config.arms)
    stack = copies * _time_copy(config, data, split) / jobs if needs_stack else 0.0
    parts = f"{len(split.train)} train, {len(split.validation)} validation, {len(split.test)} test"
    images = f"{copies} synthetic images ({config.stack.generator})" if needs_stack else "not needed"
    rows = [
        ("check", f"{sum(map(len, [data.home, *data.away.values()]))} cases", 0.01 * tests),
        ("split", parts, 0.0),
        ("stack", images, stack),
        ("train", f"{trainings} trainings of {config.train.steps} steps, {jobs} side by side", train),
        ("predict", f"{trainings} times {tests} cases", predict),
        ("compare", "bootstrap over groups and seeds", 5.0),
        ("report", str(Workspace(config.output).report), 10.0),
    ]
    table = Table("stage", "what", "about", title="Nothing is written: this is what would be done.")
    for name, what, seconds in [*rows, ("in all", "", sum(row[2] for row in rows))]:
        table.add_row(name, what, duration(seconds))
    return table


def training_jobs(config: RunConfig) -> int:
    """Return how many trainings run side by side."""
    trainings = len(config.arms) * config.seeds
    return min(trainings, config.jobs) if config.jobs else default_jobs(trainings)


def training_seconds(config: RunConfig, data: RunData, tests: int) -> tuple[float, float]:
    """Return about how long all trainings take, and all predictions of `tests` cases each."""
    trainings, jobs = len(config.arms) * config.seeds, training_jobs(config)
    threads = torch.get_num_threads()
    torch.set_num_threads(max(1, (os.cpu_count() or 1) // jobs))
    step, look = _time_network(config, data.home.channels, len(data.home.class_map))
    torch.set_num_threads(threads)
    return trainings * config.train.steps * step / jobs, trainings * tests * look / jobs


def planned_split(config: RunConfig, data: RunData) -> Split:
    """Return the division that a run would use: given, made before, declared, or new."""
    settings, made = config.split, Workspace(config.output).split
    if settings.file is not None or made.exists():
        return Split.load(settings.file or made)
    if data.home.declared_split is not None:
        return Split.declared(data.home)
    if settings.counts is not None:
        return split_by_group(data.home, counts=settings.counts, seed=settings.seed)
    return split_by_group(data.home, fractions=settings.fractions, seed=settings.seed)


def duration(seconds: float) -> str:
    """Write a time for people.

    Example:
        >>> duration(75), duration(4), duration(7300)
        ('1 min 15 s', '4 s', '2 h 1 min')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _time_network(config: RunConfig, channels: int, classes: int) -> tuple[float, float]:
    """Seconds of a training step and of looking at one image."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    network = build_network(config.network, channels=channels, classes=classes).to(device)
    side = config.train.patch or padded_side(config.size)
    count = min(TIMED_IMAGES, config.train.images_per_step)
    images = torch.rand(count, channels, side, side, device=device)

    def step() -> None:
        network(images).square().mean().backward()

    def look() -> None:
        with torch.inference_mode():
            network(images)

    # Few images are timed, since a whole step of large ones takes long on a CPU.
    return _seconds(step) / count * config.train.images_per_step, _seconds(look) / count


def _time_copy(config: RunConfig, data: RunData, split: Split) -> float:
    from s2s2.generators import build_generator

    few = Split(split.train[:12], split.validation, split.test, split.seed)
    home = data.home.resized(config.size)
    generator = build_generator(config.stack.generator).fit(home, few)
    return _seconds(lambda: generator.sample(home.case(few.train[0]), 1, config.stack.seed))


def _seconds(action: Callable[[], object]) -> float:
    action()
    begin = time.perf_counter()
    for _ in range(TIMED_STEPS):
        action()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return (time.perf_counter() - begin) / TIMED_STEPS
