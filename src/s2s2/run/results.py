"""The results of a run: scores, summary, comparisons and histories as tables, and the names of its arms.

Every table but the scores may be missing: a run may have one arm, one domain,
no training of its own. The statistics are read, never computed a second time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s2s2.arms import in_order, reference_of
from s2s2.core.tables import read_frame
from s2s2.data.split import Split
from s2s2.errors import EvaluationError
from s2s2.evaluation.tables import ALL_CLASSES, TEXTS
from s2s2.run.folder import RunFolder, RunManifest
from s2s2.run.names import shown_names

if TYPE_CHECKING:
    import pandas as pd

    from s2s2.run.config import RunConfig

METRIC = "dice"
"""The metric of the headline and of the figures."""


@dataclass(frozen=True)
class Results:
    """The tables of one run.

    Args:
        folder: The run folder.
        config: Its settings; None where they were not kept.
        manifest: What it says of itself.
        split: Of the home cases; None where it was not kept.
        scores: One row a case, class, arm and seed.
        summary: Means with intervals, one row a domain, arm, class and metric; may be empty.
        comparisons: Paired differences between arms; may be empty.
        history: Loss terms and validation Dice by step, with arm and seed; may be empty.
        arms: Names as the page shows them, controls first, s2s2 last.
        specs: Each of these arms as it was asked for, with the options of its generator.
        seeds: Numbers of the repetitions.
        home: The training domain, where known.
        domains: All scored domains, home first.
    """

    folder: RunFolder
    config: RunConfig | None
    manifest: RunManifest
    split: Split | None
    scores: pd.DataFrame
    summary: pd.DataFrame
    comparisons: pd.DataFrame
    history: pd.DataFrame
    arms: tuple[str, ...]
    specs: dict[str, str]
    seeds: tuple[int, ...]
    home: str | None
    domains: tuple[str, ...]

    @classmethod
    def read(cls, folder: RunFolder) -> Results:
        """Read the tables of a run folder.

        Args:
            folder: As written by ``s2s2 run``; scores.csv must be there.

        Raises:
            EvaluationError: If scores.csv is missing, has no rows or cannot be read.
        """
        scores = _table(folder.scores, arm="s2s2", seed=0, domain="all cases")
        if scores.empty:
            raise EvaluationError(
                f"{folder.scores} is missing or empty; a report needs one row a case and class. "
                "Run `s2s2 evaluate` first, or give the run folder that holds the scores."
            )
        manifest = folder.read_manifest()
        shown = shown_names(in_order(scores["arm"]))
        seeds = tuple(sorted(int(seed) for seed in scores["seed"].unique()))
        known = [name for name in (manifest.home, *manifest.away) if name in set(scores["domain"])]
        domains = tuple(dict.fromkeys([*known, *scores["domain"]]))
        return cls(
            folder=folder,
            config=folder.read_config(),
            manifest=manifest,
            split=Split.load(folder.split) if folder.split.exists() else None,
            scores=_named(scores, shown),
            summary=_named(_table(folder.summary, arm="s2s2", metric=METRIC), shown),
            comparisons=_named(_table(folder.comparisons, metric=METRIC), shown),
            history=_named(_histories(folder, shown, seeds), shown),
            arms=tuple(shown.values()),
            specs={name: arm for arm, name in shown.items()},
            seeds=seeds,
            home=manifest.home or (domains[0] if len(domains) > 1 else None),
            domains=domains,
        )

    @property
    def away(self) -> tuple[str, ...]:
        """The domains that no network was trained on; empty where the training domain is unknown."""
        if self.home is None:
            return ()
        return tuple(domain for domain in self.domains if domain != self.home)

    @property
    def main(self) -> str:
        """The arm that the report is about: s2s2 where it was run, else the last one."""
        return self.arms[-1]

    @property
    def reference(self) -> str | None:
        """The arm that the main one is measured against, None where it is alone."""
        return reference_of(self.arms) if len(self.arms) > 1 else None

    def case_values(self, metric: str = METRIC) -> pd.DataFrame:
        """Return one value a domain, arm, seed and case: the mean over its scored classes.

        Cases without any scored class are left out, as in the comparisons.
        """
        rows = self.scores
        if "class_name" in rows:
            rows = rows[rows["class_name"] != ALL_CLASSES]
        keys = ["domain", "arm", "seed", "case"]
        return rows.groupby(keys, sort=False)[metric].mean().dropna().reset_index()

    def compared(self, domain: str, arm: str, reference: str, metric: str = METRIC) -> pd.Series[Any] | None:
        """Return the row of a paired difference, or None where there is none."""
        return _first(self.overall(self.comparisons, domain, metric), arm=arm, reference=reference)

    def mean(self, domain: str, arm: str, metric: str = METRIC) -> pd.Series[Any] | None:
        """Return the summary row of an arm on a domain, or None where there is none."""
        return _first(self.overall(self.summary, domain, metric), arm=arm)

    def overall(self, table: pd.DataFrame, domain: str, metric: str = METRIC) -> pd.DataFrame:
        """Return the rows of a domain and metric that speak of all classes together."""
        if table.empty:
            return table
        rows = table[(table["domain"] == domain) & (table["metric"] == metric)]
        whole = rows[rows["class_name"] == ALL_CLASSES] if "class_name" in rows else rows
        return rows if whole.empty else whole


def _table(path: Path, **defaults: Any) -> pd.DataFrame:
    """Read a table, empty where there is none; columns that it lacks hold a default."""
    import pandas as pd

    if not path.is_file() or path.stat().st_size == 0:
        return pd.DataFrame()
    advice = "Make it again with the same `s2s2 run` command."
    table = read_frame(path, TEXTS, error=EvaluationError, advice=advice)
    return table.assign(**{name: value for name, value in defaults.items() if name not in table})


def _named(table: pd.DataFrame, shown: Mapping[str, str]) -> pd.DataFrame:
    columns = [name for name in ("arm", "reference") if name in table]
    return table.assign(**{name: table[name].replace(shown) for name in columns})


def _histories(folder: RunFolder, arms: Iterable[str], seeds: Iterable[int]) -> pd.DataFrame:
    import pandas as pd

    seeds, parts = list(seeds), []
    for arm in arms:
        for seed in seeds:
            table = _table(folder.training(arm, seed).history)
            if "step" in table:
                parts.append(table.assign(arm=arm, seed=seed))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _first(rows: pd.DataFrame, **wanted: str) -> pd.Series[Any] | None:
    for column, value in wanted.items():
        if rows.empty or column not in rows:
            return None
        rows = rows[rows[column] == value]
    return None if rows.empty else rows.iloc[0]
