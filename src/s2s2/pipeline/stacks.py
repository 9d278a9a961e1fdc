"""The stacks of a run: one for each generator that its arms ask for, tuned, made and audited."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from s2s2.arms import get_arm
from s2s2.core.progress import Count, Progress
from s2s2.core.timing import duration
from s2s2.core.workers import default_jobs
from s2s2.data.dataset import Dataset
from s2s2.data.split import Split
from s2s2.pipeline.reporter import Reporter
from s2s2.run.config import RunConfig
from s2s2.run.folder import Workspace
from s2s2.run.names import without_options
from s2s2.stack import Stack

if TYPE_CHECKING:
    from s2s2.audit import Segmenters
    from s2s2.generators import Generator, LearningGenerator


def generator_of(config: RunConfig, arm: str) -> str | None:
    """Return what makes the stack of an arm, or None where it shows none."""
    chosen = get_arm(arm)
    return None if chosen.view != "stack" else chosen.generator or config.stack.generator


def stack_folders(config: RunConfig) -> dict[str, Path]:
    """Return the folder of every stack of a run, by the generator that makes it."""
    space, folders = Workspace(config.output), {}
    for arm in config.arms:
        generator = generator_of(config, arm)
        if generator is not None:
            usual = generator == config.stack.generator
            folders[generator] = space.stack if usual else space.stacks / quote(generator, safe="+(),=:")
    return folders


def build_generators(config: RunConfig) -> dict[str, Generator]:
    """Return the generator of every stack of a run, neither placed nor fitted.

    Raises:
        ConfigError: If one does not exist, or has no such option.
    """
    from s2s2.generators import build_generator

    return {spec: build_generator(spec) for spec in stack_folders(config)}


@dataclass
class Stacks:
    """Tunes generators, makes their stacks and audits them.

    Args:
        config: Settings of the run.
        home: All home cases, on the working grid.
        split: Their division; only training cases are used.
        reporter: Is told how far it is.
    """

    config: RunConfig
    home: Dataset
    split: Split
    reporter: Reporter
    generators: dict[str, Generator] = field(init=False)

    def __post_init__(self) -> None:
        """Build and place every generator."""
        self.space, self.folders = Workspace(self.config.output), stack_folders(self.config)
        self.generators = build_generators(self.config)
        for part in self.learners():
            part.place(self.tuning_folder(part))
        if self.config.stack.tuned is not None:
            place_tuned(self.learners(), self.config.stack.tuned)

    def learners(self) -> list[LearningGenerator]:
        """Return every part that has to be tuned; parts that are alike share a folder."""
        return [part for generator in self.generators.values() for part in generator.learners]

    def tuning_folder(self, part: LearningGenerator) -> Path:
        """Return where the weights of a part are kept: what learns otherwise has another folder."""
        recipe = json.dumps(part.learning(), sort_keys=True, default=str)
        return self.space.generators / f"{part.name}-{hashlib.sha256(recipe.encode()).hexdigest()[:8]}"

    def tunings(self) -> dict[str, Path]:
        """Return the folder of every part that is tuned, by its name."""
        return {part.folder.name: part.folder for part in self.learners() if part.folder is not None}

    def judges(self) -> Segmenters | None:
        """Train the segmenters that judge samples and copies, unless nothing is to be judged."""
        if not self.folders or not (self.config.audited or self.untuned()):
            return None
        from s2s2.audit import Segmenters

        train = self.home.subset(self.split.train)
        return Segmenters.fit(train, self.space.judges, self.config.audit, self.reporter.task("judges"))

    def untuned(self) -> list[LearningGenerator]:
        """Return the parts whose tuning is not finished, one for each folder."""
        left = {part.folder: part for part in self.learners() if not part.tuned}
        return list(left.values())

    def tune(self, judge: Segmenters | None) -> None:
        """Tune what is not tuned yet."""
        for part in self.untuned():
            part.tune(self.home, self.split, judge=judge, progress=self.reporter.task(f"tune {part.name}"))

    def build(self) -> None:
        """Make what is missing of every stack."""
        from s2s2.stack import build_stack

        settings = self.config.stack
        for spec, folder in self.folders.items():
            update = self._task("stack", spec)
            build_stack(
                self.generators[spec],
                self.home,
                self.split,
                folder,
                depth=settings.depth,
                seed=settings.seed,
                bits=settings.bits,
                jobs=self.jobs(self.generators[spec]),
                progress=counting(update, "masks"),
            )

    def _task(self, verb: str, spec: str) -> Progress:
        """Begin a task on one of the stacks."""
        return self.reporter.task(f"{verb} {without_options(spec)}" if len(self.folders) > 1 else verb)

    def jobs(self, generator: Generator) -> int:
        """Return the number of processes: a network fills the cores, or the GPU, by itself."""
        if generator.learners:
            return 1
        return self.config.jobs or default_jobs(len(self.split.train))

    def audit(self, judges: Segmenters | None) -> None:
        """Audit every stack; what was audited already is kept."""
        if not self.config.audited:
            return
        from s2s2.audit import RealImages, run_audit

        real = RealImages()
        for spec, folder in self.folders.items():
            run_audit(
                Stack.open(folder),
                self.home,
                self.split,
                config=self.config.audit,
                segmenters=judges,
                progress=self._task("audit", spec),
                real=real,
            )


def place_tuned(parts: Sequence[LearningGenerator], folder: Path) -> None:
    """Place what `s2s2 tune` made: one part in the folder itself, several in one each below it."""
    from s2s2.generators.learning import place_apart

    recipes = {(part.name, json.dumps(part.learning(), sort_keys=True, default=str)) for part in parts}
    if len(recipes) > 1:
        place_apart(parts, folder)
        return
    for part in parts:
        part.place(folder)


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


def counting(update: Any, unit: str) -> Count:
    """Return a progress callback that names what it counts."""
    return lambda done, total: update(done, total, f"{done} of {total} {unit}")
