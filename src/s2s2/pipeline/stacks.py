"""The stacks of a run and their generators: which there are, where they lie, what they need."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from s2s2.core.inputs import Inputs
from s2s2.core.timing import duration
from s2s2.core.workers import default_jobs
from s2s2.data.dataset import Dataset
from s2s2.data.split import Split
from s2s2.run.config import RunConfig
from s2s2.run.folder import RunFolder

if TYPE_CHECKING:
    from s2s2.generators import Generator, LearningGenerator
    from s2s2.stack import LiveStack, Stack


def build_generators(config: RunConfig) -> dict[str, Generator]:
    """Return the generator of every stack of a run, neither placed nor fitted.

    Raises:
        ConfigError: If one does not exist, or has no such option.
        StackError: If one cannot make copies while training, and is to.
    """
    from s2s2.generators import build_generator
    from s2s2.stack.live import require_live

    built = {spec: build_generator(spec) for spec in RunFolder(config.output).stacks(config)}
    if config.stack.depth == "live":
        for generator in built.values():
            require_live(generator)
    return built


@dataclass
class Stacks:
    """The stacks of a run, each with its generator.

    Args:
        config: Settings of the run.
        home: All home cases, on the working grid.
        split: Their division; only training cases are used.
    """

    config: RunConfig
    home: Dataset
    split: Split
    folders: dict[str, Path] = field(init=False)
    generators: dict[str, Generator] = field(init=False)

    def __post_init__(self) -> None:
        """Build and place every generator."""
        folder = RunFolder(self.config.output)
        self.folders, self.generators = folder.stacks(self.config), build_generators(self.config)
        for part in self.learners():
            # What learns otherwise has another folder.
            part.place(folder.generators / f"{part.name}-{Inputs(part.learning()).digest[:8]}")
        if self.config.stack.tuned is not None:
            take_tuned(self.learners(), self.config.stack.tuned)

    def learners(self) -> list[LearningGenerator]:
        """Return every part that has to be tuned; parts that are alike share a folder."""
        return [part for generator in self.generators.values() for part in generator.learners]

    def untuned(self) -> list[LearningGenerator]:
        """Return the parts whose tuning is not finished, one for each folder."""
        left = {part.folder: part for part in self.learners() if not part.tuned}
        return list(left.values())

    @cached_property
    def outlooks(self) -> list[str]:
        """What each tuning takes that was not finished at first.

        Raises:
            GeneratorError: If the machine or a base model will not do.
        """
        return [outlook(part, self.home, self.split) for part in self.untuned()]

    def jobs(self, generator: Generator) -> int:
        """Return the number of processes: a network fills the cores, or the GPU, by itself."""
        if generator.learners:
            return 1
        return self.config.jobs or default_jobs(len(self.split.train))


def open_stack(
    folder: Path | None, home: Dataset, split: Split, *, live: bool = False, trust: Collection[str] = ()
) -> Stack | LiveStack | None:
    """Open a stack to train on, or make its generator ready to give new copies.

    Args:
        folder: Of the stack; None where none is needed.
        home: All home cases, on the working grid.
        split: Their division.
        live: Whether copies are made while training instead of read.
        trust: Import paths that the stack may name as its generator.

    Raises:
        StackError: If the stack cannot be used, or its generator cannot give copies while training.
        ConfigError: If its generator is not trusted.
    """
    from s2s2.generators import build_generator
    from s2s2.stack import LiveStack, Stack

    if folder is None:
        return None
    stack = Stack.open(folder)
    if not live:
        return stack
    stack.check_against(home, split)
    made = stack.manifest
    by = made["generator"]
    generator = build_generator({"name": by["name"], "init_args": by.get("config", {})}, trust=trust)
    if not generator.learners:
        generator.fit(home, split)
    return LiveStack(generator, home.subset(split.train), seed=made["seed"], bits=made["bits"])


def place_tuned(parts: Sequence[LearningGenerator], folder: Path) -> None:
    """Place what `s2s2 tune` made: one part in the folder itself, several in one each below it."""
    from s2s2.generators.learning import place_apart

    recipes = {(part.name, Inputs(part.learning()).digest) for part in parts}
    if len(recipes) > 1:
        place_apart(parts, folder)
        return
    for part in parts:
        part.place(folder)


def take_tuned(parts: Sequence[LearningGenerator], folder: Path) -> None:
    """Place what `s2s2 tune` made to be used as it is.

    Raises:
        GeneratorError: If a file of a finished tuning is not as it was left.
    """
    from s2s2.generators.tuning.record import require_whole_tunings

    place_tuned(parts, folder)
    if parts:
        require_whole_tunings(folder)


def outlook(part: LearningGenerator, home: Dataset, split: Split, copies: int = 0) -> str:
    """Return what a generator that learns takes, and on what terms, before anything is spent on it.

    Args:
        part: The generator.
        home: All home cases, on the working grid.
        split: Their division.
        copies: Images that it is to make; 0 speaks of its tuning alone.

    Raises:
        GeneratorError: If the machine or the base model will not do.
    """
    cost = part.cost(home, split)
    words = [] if part.tuned else [f"tuning about {duration(cost.tuning_s)}"]
    words += [f"{copies} images at most, about {duration(copies * cost.image_s)}"] if copies else []
    words += [f"licence of its base model: {part.licence}"] if part.licence else []
    return f"{part.name}: {', '.join(words)}"
