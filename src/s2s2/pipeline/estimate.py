"""What a run would do and how long it may take, from a few steps timed on this machine."""

from __future__ import annotations

import os
from dataclasses import replace
from itertools import chain, islice, zip_longest
from typing import TYPE_CHECKING

import torch
from rich.markup import escape
from rich.table import Table

from s2s2.core.timing import duration, seconds_of
from s2s2.core.workers import default_jobs
from s2s2.data.dataset import Dataset
from s2s2.data.grid import padded_side
from s2s2.data.split import Split, split_by_group
from s2s2.networks.build import build_network
from s2s2.pipeline.reporter import Silent
from s2s2.pipeline.stacks import Stacks
from s2s2.run.config import RunConfig
from s2s2.run.folder import RunData, Workspace, open_data
from s2s2.run.names import without_options
from s2s2.training.config import TrainConfig

if TYPE_CHECKING:
    from s2s2.generators import Generator

TIMED_IMAGES = 4
TIMED_CASES = 12
AUDITED_S = 0.05
"""Seconds that judging a copy takes on one core, about; little beside the rest."""


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
    parts = f"{len(split.train)} train, {len(split.validation)} validation, {len(split.test)} test"
    rows = [
        ("check", f"{sum(map(len, [data.home, *data.away.values()]))} cases", 0.01 * tests),
        ("split", parts, 0.0),
        *_stack_rows(config, data, split),
        ("train", f"{trainings} trainings of {config.train.steps} steps, {jobs} side by side", train),
        ("predict", f"{trainings} times {tests} cases", predict),
        ("compare", "bootstrap over groups and seeds", 5.0),
        ("report", str(Workspace(config.output).report), 10.0),
    ]
    table = Table("stage", "what", "about", title="Nothing is written: this is what would be done.")
    for name, what, seconds in [*rows, ("in all", "", sum(row[2] for row in rows))]:
        table.add_row(name, escape(what), duration(seconds))
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
    return seconds_of(step) / count * config.train.images_per_step, seconds_of(look) / count


def _stack_rows(config: RunConfig, data: RunData, split: Split) -> list[tuple[str, str, float]]:
    """Return what tuning, the stacks and their audit take."""
    stacks = Stacks(config, data.home.resized(config.size), split, Silent())
    if not stacks.folders:
        return [("stack", "not needed", 0.0)]
    copies, rows = len(split.train) * config.stack.depth, []
    untuned = stacks.untuned()
    for part in untuned:
        took = part.cost(stacks.home, split).tuning_s
        rows.append(("tune", f"{part.name} on {len(split.train)} training images", took))
    for spec, generator in stacks.generators.items():
        took = copies * _time_copy(stacks, generator) / stacks.jobs(generator)
        rows.append(("stack", f"{copies} synthetic images ({without_options(spec)})", took))
    if config.audited or untuned:
        rows.insert(0, _judges_row(config, data))
    if config.audited:
        looks = copies * len(stacks.folders)
        rows.append(("audit", f"{looks} synthetic images", looks * AUDITED_S))
    return rows


def _judges_row(config: RunConfig, data: RunData) -> tuple[str, str, float]:
    audit = config.audit
    judged = replace(
        config,
        network=audit.network,
        size=min(audit.size, config.size),
        train=TrainConfig(images_per_step=audit.images_per_step),
    )
    step, _ = _time_network(judged, data.home.channels, len(data.home.class_map))
    words = f"{audit.folds} segmenters of {audit.steps} steps, cross-fitted by group"
    return "judges", words, audit.folds * audit.steps * step / (audit.jobs or default_jobs(audit.folds))


def _time_copy(stacks: Stacks, generator: Generator) -> float:
    """Seconds of a copy; of a mixture or a chain with a part that learns, of the slowest such part."""
    if generator.learners:
        return max(part.cost(stacks.home, stacks.split).image_s for part in generator.learners)
    split = stacks.split
    few = _few_of_each_group(stacks.home.subset(split.train))
    generator.fit(stacks.home, Split(few, split.validation, split.test, split.seed))
    case = stacks.home.case(split.train[0])
    return seconds_of(lambda: generator.sample(case, 1, stacks.config.stack.seed))


def _few_of_each_group(train: Dataset, at_most: int = TIMED_CASES) -> tuple[str, ...]:
    """Return cases of as many groups as there are: donors come from other groups only."""
    by_group: dict[str, list[str]] = {}
    for case in train:
        by_group.setdefault(case.group, []).append(case.id)
    in_turn = chain.from_iterable(zip_longest(*by_group.values()))
    return tuple(islice((case_id for case_id in in_turn if case_id is not None), at_most))
