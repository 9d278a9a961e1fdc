"""Tables on the terminal."""

from __future__ import annotations

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from s2s2.run.names import shown_names


def print_summary(summary: pd.DataFrame) -> None:
    """Print mean and interval of every metric, one row a domain and class."""
    metrics = list(dict.fromkeys(summary["metric"]))
    # A long name is broken instead of cut: `compare --metrics` asks for it as it is.
    columns = [Column(name, overflow="fold") for name in metrics]
    table = Table("domain", "class", "cases", "groups", "absent", *columns)
    for (domain, label), rows in summary.groupby(["domain", "class_name"], sort=False):
        first = rows.iloc[0]
        cells = {row.metric: f"{row.mean:.3f} [{row.low:.3f}, {row.high:.3f}]" for row in rows.itertuples()}
        counts = (str(first[name]) for name in ("n_cases", "n_groups", "n_absent"))
        table.add_row(
            escape(str(domain)), escape(str(label)), *counts, *(cells.get(name, "") for name in metrics)
        )
    Console(width=160).print(table)


def print_comparisons(comparisons: pd.DataFrame) -> None:
    """Print every paired difference with its interval."""
    table = Table(
        "domain", "metric", "arm", "against", "difference", "95% interval", "p (Holm)", "cases", "seeds"
    )
    names = shown_names(dict.fromkeys([*comparisons["reference"], *comparisons["arm"]]))
    for row in comparisons.itertuples():
        table.add_row(
            escape(str(row.domain)),
            str(row.metric),
            escape(names[str(row.arm)]),
            escape(names[str(row.reference)]),
            f"{row.difference:+.3f}",
            f"[{row.low:+.3f}, {row.high:+.3f}]",
            f"{row.p_holm:.3g}",
            str(row.n_cases),
            str(row.n_seeds),
        )
    Console(width=140).print(table)
