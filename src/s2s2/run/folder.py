"""The folder of a run: where each stage puts what it makes, and the data that it works on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from s2s2.data.classes import read_class_map
from s2s2.data.dataset import Dataset
from s2s2.data.split import Split
from s2s2.errors import ConfigError
from s2s2.run.config import RunConfig


@dataclass(frozen=True)
class Workspace:
    """Paths below the run's folder.

    Args:
        root: The folder of the run.
    """

    root: Path

    @property
    def split(self) -> Path:
        """Case ids of train, validation and test."""
        return self.root / "split.json"

    @property
    def stack(self) -> Path:
        """The semantic stack of the training cases."""
        return self.root / "stack"

    @property
    def stacks(self) -> Path:
        """One more stack for each arm with a generator of its own."""
        return self.root / "stacks"

    @property
    def generators(self) -> Path:
        """Weights of the generators that were tuned for this run."""
        return self.root / "generators"

    @property
    def judges(self) -> Path:
        """The segmenters that judge samples and copies."""
        return self.root / "judges"

    @property
    def scores(self) -> Path:
        """One row for each case, class, arm and seed."""
        return self.root / "scores.csv"

    @property
    def summary(self) -> Path:
        """One row for each domain, class and arm, with intervals."""
        return self.root / "summary.csv"

    @property
    def comparisons(self) -> Path:
        """One row for each pair of arms, domain and metric."""
        return self.root / "comparisons.csv"

    @property
    def report(self) -> Path:
        """The page to read."""
        return self.root / "report.html"

    @property
    def manifest(self) -> Path:
        """What was run, with what, on what, and how long it took."""
        return self.root / "run.json"

    def stamp(self, stage: str) -> Path:
        """Record of a finished stage."""
        return self.root / f".{stage}.done.json"

    def check(self, domain: str) -> Path:
        """Findings of the check of a domain."""
        return self.root / "check" / f"{domain}.json"

    def training(self, arm: str, seed: int) -> Path:
        """All of one arm and seed: network, history, predictions, scores."""
        return self.root / "arms" / quote(arm, safe="@+(),=:") / f"seed{seed}"

    def domain_scores(self, arm: str, seed: int, domain: str) -> Path:
        """Scores of one arm and seed on one domain."""
        return scores_file(self.training(arm, seed), domain)


def scores_file(training: Path, domain: str) -> Path:
    """Return where a training keeps its scores on a domain."""
    return training / "scores" / f"{domain}.csv"


@dataclass(frozen=True)
class RunData:
    """The data of a run.

    Args:
        home: All home cases on their own grid.
        away: Data sets of other sites on their own grid, by domain.
        sources: Every folder or manifest that was opened, with its cases.
    """

    home: Dataset
    away: dict[str, Dataset]
    sources: tuple[tuple[Path, Dataset], ...]

    def tests(self, split: Split) -> dict[str, Dataset]:
        """What is reported: the home test cases first, then every other domain."""
        return {self.home.domain: split.testing(self.home), **self.away}


def open_data(config: RunConfig) -> RunData:
    """Open home and target folders with one class map and one number of channels."""
    class_map = read_class_map(config.classes)
    home = Dataset.open(config.data, class_map=class_map, groups=config.groups, channels=config.channels)
    away: dict[str, Dataset] = {}
    sources = [(config.data, home)]
    for path in config.target:
        opened = Dataset.open(path, class_map=home.class_map, groups=config.groups, channels=home.channels)
        sources.append((path, opened))
        for domain in dict.fromkeys(case.domain for case in opened):
            if domain in away or domain == home.domain:
                raise ConfigError(
                    f"Two data sets are called {domain!r} ({path} is the second). A domain takes the name of "
                    "its folder or of the manifest's `domain` column: rename one."
                )
            away[domain] = opened.subset([case.id for case in opened if case.domain == domain])
    return RunData(home, away, tuple(sources))
