"""Stages of a run: what each needs, does and costs, and what they share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from s2s2.core.progress import Reporter, Silent
from s2s2.core.workers import default_jobs
from s2s2.data.dataset import Dataset
from s2s2.data.split import Split
from s2s2.data.split_files import load_split
from s2s2.pipeline.stacks import Stacks
from s2s2.run.config import RunConfig
from s2s2.run.data import RunData, open_data
from s2s2.run.folder import RunFolder

if TYPE_CHECKING:
    from s2s2.audit import Segmenters


class Row(NamedTuple):
    """What a stage would do.

    Args:
        stage: Its name.
        what: In words.
        seconds: About how long it takes.
    """

    stage: str
    what: str
    seconds: float


@dataclass
class Context:
    """What the stages of one run share; each part is made when it is first asked for.

    Args:
        config: Settings of the run.
        reporter: Receives what happens.
        command: The command line, for the record.
        started: When the run was started, for the record.
        timings: Seconds of each stage so far.
        judges: The segmenters that judge samples and copies, once they are trained.
    """

    config: RunConfig
    reporter: Reporter = field(default_factory=Silent)
    command: str = ""
    started: str = ""
    timings: dict[str, float] = field(default_factory=dict)
    judges: Segmenters | None = None

    @property
    def folder(self) -> RunFolder:
        """The folder of the run."""
        return RunFolder(self.config.output)

    @cached_property
    def data(self) -> RunData:
        """Home and away, opened."""
        return open_data(self.config)

    @cached_property
    def split(self) -> Split:
        """The division of the home cases: given, made before, declared, or new."""
        settings, home = self.config.split, self.data.home
        if settings.file is not None or self.folder.split.exists():
            return load_split(settings.file or self.folder.split, home)
        return settings.divide(home)

    @cached_property
    def stacks(self) -> Stacks:
        """The stacks of the run, with their generators."""
        return Stacks(self.config, self.data.home.resized(self.config.size), self.split)

    @property
    def tests(self) -> dict[str, Dataset]:
        """Cases to predict and score, by domain, home first."""
        return self.data.tests(self.split)

    @property
    def trainings(self) -> list[tuple[str, int]]:
        """Every arm with every seed, seed by seed."""
        return [(arm, seed) for seed in range(self.config.seeds) for arm in self.config.arms]

    @property
    def jobs(self) -> int:
        """How many trainings run side by side."""
        number = len(self.trainings)
        return min(number, self.config.jobs) if self.config.jobs else default_jobs(number)


class Stage(ABC):
    """One stage of a run; a call that finds its work done changes nothing."""

    name: str
    words: str = ""
    """What it is about to do, in a phrase."""
    needs: tuple[str, ...] = ()
    """Names of the stages that must come before."""

    def wanted(self, context: Context) -> bool:
        """Whether there is anything to do in this run."""
        return True

    def detail(self, context: Context) -> str:
        """Return `words`, or what can only be said of this run."""
        return self.words

    @abstractmethod
    def run(self, context: Context) -> None:
        """Do what is not done yet."""

    def estimate(self, context: Context) -> list[Row]:
        """Return what it would do and about how long that takes; nothing is written."""
        return [Row(self.name, self.detail(context), 0.0)]
