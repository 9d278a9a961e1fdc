"""What a run folder holds, read once and given names.

Every table but the score table may be missing: a run may have one arm, one domain,
no training of its own. The statistics are read, never computed a second time.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from s2s2.arms import in_order, reference_of
from s2s2.errors import EvaluationError
from s2s2.evaluation.tables import ALL_CLASSES
from s2s2.run.names import shown_names

if TYPE_CHECKING:
    import pandas as pd

METRIC = "dice"
"""The metric of the headline and of the figures."""


@dataclass(frozen=True)
class Run:
    """The tables of one run.

    Args:
        folder: The run folder.
        scores: One row a case, class, arm and seed.
        summary: Means with intervals, one row a domain, arm, class and metric; may be empty.
        comparisons: Paired differences between arms; may be empty.
        history: Loss terms and validation Dice by step, with arm and seed; may be empty.
        split: Case ids by part; may be empty.
        arms: Names, controls first, s2s2 last.
        seeds: Numbers of the repetitions.
        home: The training domain, where known.
        domains: All scored domains, home first.
        specs: Of each arm as it was asked for, with the options of its generator.
    """

    folder: Path
    scores: pd.DataFrame
    summary: pd.DataFrame
    comparisons: pd.DataFrame
    history: pd.DataFrame
    split: dict[str, list[str]]
    arms: tuple[str, ...]
    seeds: tuple[int, ...]
    home: str | None
    domains: tuple[str, ...]
    specs: dict[str, str]

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
        return _any_class(table[(table["domain"] == domain) & (table["metric"] == metric)])


def read_run(folder: Path, manifest: dict[str, Any], domains: Sequence[str] = ()) -> Run:
    """Read the tables of a run folder.

    Args:
        folder: As written by ``s2s2 run``: scores.csv and, where they exist,
            summary.csv, comparisons.csv, split.json and arms/*/seed*/history.csv.
        manifest: Facts on the run; ``home``, ``arms`` and ``seeds`` are read.
        domains: Names in the order wanted, home first.

    Raises:
        EvaluationError: If scores.csv is missing or has no rows.
    """
    folder = Path(folder)
    scores = _table(folder / "scores.csv")
    if scores.empty:
        raise EvaluationError(
            f"{folder / 'scores.csv'} is missing or empty; a report needs one row a case and class. "
            "Run `s2s2 evaluate` first, or give the run folder that holds the scores."
        )
    scores = _filled(scores, {"arm": "s2s2", "seed": 0, "domain": "all cases"})
    scored = list(dict.fromkeys(scores["domain"]))
    named = [domain for domain in domains if domain in scored]
    names = tuple(dict.fromkeys([*named, *scored]))
    arms = _ordered(scores["arm"], manifest.get("arms", ()))
    shown = shown_names(arms)
    home = manifest.get("home") or (names[0] if len(names) > 1 else None)
    return Run(
        folder=folder,
        scores=_named(scores, shown),
        summary=_named(_filled(_table(folder / "summary.csv"), {"arm": "s2s2", "metric": METRIC}), shown),
        comparisons=_named(_filled(_table(folder / "comparisons.csv"), {"metric": METRIC}), shown),
        history=_named(_histories(folder), shown),
        split=_split(folder / "split.json"),
        arms=tuple(shown.values()),
        seeds=tuple(sorted(int(seed) for seed in scores["seed"].unique())),
        home=home,
        domains=tuple(sorted(names, key=lambda name: name != home)),
        specs={name: arm for arm, name in shown.items()},
    )


def case_values(run: Run, metric: str = METRIC) -> pd.DataFrame:
    """Return one value a domain, arm, seed and case: the mean over its scored classes.

    Cases without any scored class are left out, as in the comparisons.
    """
    rows = run.scores
    if "class_name" in rows:
        rows = rows[rows["class_name"] != ALL_CLASSES]
    return rows.groupby(["domain", "arm", "seed", "case"], sort=False)[metric].mean().dropna().reset_index()


def _table(path: Path) -> pd.DataFrame:
    import pandas as pd

    if not path.is_file() or path.stat().st_size == 0:
        return pd.DataFrame()
    texts = dict.fromkeys(("case", "group", "domain", "arm", "class_name", "reference"), str)
    return pd.read_csv(path, dtype=texts, keep_default_na=True)


def _filled(table: pd.DataFrame, defaults: dict[str, Any]) -> pd.DataFrame:
    if table.empty:
        return table
    return table.assign(**{name: value for name, value in defaults.items() if name not in table})


def _named(table: pd.DataFrame, shown: Mapping[str, str]) -> pd.DataFrame:
    columns = [name for name in ("arm", "reference") if name in table]
    return table.assign(**{name: table[name].replace(shown) for name in columns})


def _ordered(found: pd.Series[Any], wanted: Sequence[str]) -> tuple[str, ...]:
    return in_order(arm for arm in [*wanted, *found] if arm in set(found))


def _histories(folder: Path) -> pd.DataFrame:
    import pandas as pd

    parts = []
    for path in sorted(folder.glob("arms/*/seed*/history.csv")):
        table = _table(path)
        if "step" in table:
            seed = int(path.parent.name.removeprefix("seed") or 0)
            parts.append(
                table.rename(columns={"train_loss": "total"}).assign(
                    arm=unquote(path.parent.parent.name), seed=seed
                )
            )
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _split(path: Path) -> dict[str, list[str]]:
    if not path.is_file():
        return {}
    content = json.loads(path.read_text())
    return {part: list(content[part]) for part in ("train", "validation", "test") if part in content}


def _any_class(rows: pd.DataFrame) -> pd.DataFrame:
    if "class_name" in rows and (rows["class_name"] == ALL_CLASSES).any():
        return rows[rows["class_name"] == ALL_CLASSES]
    return rows


def _first(rows: pd.DataFrame, **wanted: str) -> pd.Series[Any] | None:
    for column, value in wanted.items():
        if rows.empty or column not in rows:
            return None
        rows = rows[rows[column] == value]
    return None if rows.empty else rows.iloc[0]
