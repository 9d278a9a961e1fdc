"""What a run would do and how long it may take, as a table."""

from __future__ import annotations

from collections.abc import Sequence

from rich.markup import escape
from rich.table import Table

from s2s2.core.timing import duration
from s2s2.pipeline.run import STAGES
from s2s2.pipeline.stage import Context, Row, Stage
from s2s2.run.config import RunConfig


def estimate(config: RunConfig, stages: Sequence[Stage] = STAGES) -> Table:
    """Return a table of the stages of a run, with the seconds that each may take.

    A training step, a forward pass and a synthetic image are timed on this machine;
    nothing is written.

    Args:
        config: Settings of the run.
        stages: What would be done, in order.
    """
    context = Context(config)
    rows = [row for stage in stages if stage.wanted(context) for row in stage.estimate(context)]
    table = Table("stage", "what", "about", title="Nothing is written: this is what would be done.")
    for row in [*rows, Row("in all", "", sum(row.seconds for row in rows))]:
        table.add_row(row.stage, escape(row.what), duration(row.seconds))
    return table
