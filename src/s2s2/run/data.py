"""The data of a run: home and target folders, opened with one class map."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from s2s2.data.dataset import Dataset
from s2s2.data.naming import classes_for
from s2s2.data.split import Split
from s2s2.errors import ConfigError

if TYPE_CHECKING:
    from s2s2.run.config import RunConfig


class Source(NamedTuple):
    """A folder or manifest that was opened.

    Args:
        number: Its place among the sources; 0 is home.
        path: As given.
        dataset: Its cases, of one domain or several.
    """

    number: int
    path: Path
    dataset: Dataset


@dataclass(frozen=True)
class RunData:
    """The data of a run.

    Args:
        home: All home cases on their own grid.
        away: Data sets of other sites on their own grid, by domain.
        sources: Everything that was opened, home first.
    """

    home: Dataset
    away: dict[str, Dataset]
    sources: tuple[Source, ...]

    def tests(self, split: Split) -> dict[str, Dataset]:
        """What is reported: the home test cases first, then every other domain."""
        return {self.home.domain: split.testing(self.home), **self.away}

    def source_of(self, domain: str) -> Source:
        """Return where the cases of a domain lie."""
        if domain == self.home.domain:
            return self.sources[0]
        return next(each for each in self.sources if any(case.domain == domain for case in each.dataset))


def _open_target(config: RunConfig, path: Path, number: int, home: Dataset) -> Dataset:
    """Open a target folder with the classes of home; the folder or a public data set may say other values.

    Raises:
        ConfigError: If a public data set has other classes.
    """
    public = config.dataset_of(number) if config.classes is None else None
    if public is None:
        class_map = home.class_map if config.classes else classes_for(path, home.class_map)
        return config.read(path, class_map=class_map, channels=home.channels, number=number)
    opened = config.read(path, channels=home.channels, number=number)
    if opened.class_map.names != home.class_map.names:
        raise ConfigError(
            f"{public} has the classes {', '.join(opened.class_map.names)}, and home has "
            f"{', '.join(home.class_map.names)}. Give --classes that hold for both, or another target."
        )
    return opened


def open_data(config: RunConfig) -> RunData:
    """Open home and target folders with one class map and one number of channels.

    Raises:
        ConfigError: If two of them hold a domain of the same name.
        DataError: If a folder holds no data set.
    """
    home = config.read(config.data)
    away: dict[str, Dataset] = {}
    sources = [Source(0, config.data, home)]
    for path in config.target:
        opened = _open_target(config, path, len(sources), home)
        sources.append(Source(len(sources), path, opened))
        for domain in dict.fromkeys(case.domain for case in opened):
            if domain in away or domain == home.domain:
                raise ConfigError(
                    f"Two data sets are called {domain!r} ({path} is the second). A domain takes the name of "
                    "its folder or of the manifest's `domain` column: rename one."
                )
            away[domain] = opened.subset([case.id for case in opened if case.domain == domain])
    return RunData(home, away, tuple(sources))
