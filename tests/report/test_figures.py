from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from s2s2.report.axes import scale
from s2s2.report.figures import curves, forest
from s2s2.report.palette import arm_styles
from s2s2.run.folder import RunFolder
from s2s2.run.results import Results
from tests.report.fake import Runs
from tests.report.tables import BETTER, OPEN, row, written_run

STYLES = arm_styles(("baseline", "duplicate", "s2s2"))


@pytest.mark.parametrize(
    ("low", "high"), [(-0.03, 0.081), (0.0, 1.0), (0.4, 0.41), (-250.0, 13.0), (0.5, 0.5)]
)
def test_a_scale_holds_its_values(low: float, high: float) -> None:
    ends = scale(low, high)
    assert ends.low <= low <= high <= ends.high
    assert ends.place(ends.low) == 0
    assert ends.place(ends.high) == 100
    steps = [after - before for before, after in zip(ends.ticks, ends.ticks[1:], strict=False)]
    assert steps == pytest.approx([steps[0]] * len(steps))


def test_ticks_are_told_apart_by_their_digits() -> None:
    assert (scale(0, 0.1, count=4).digits, scale(0, 10).digits) == (3, 0)


def test_the_forest_holds_every_pair_of_every_domain(tmp_path: Path) -> None:
    rows = [row("oxford", *BETTER), row("oxford", *OPEN, reference="duplicate"), row("paris", *OPEN)]
    drawn = forest(written_run(tmp_path, rows, arms=("baseline", "duplicate", "s2s2")), STYLES)
    assert drawn is not None
    assert [(domain, [line.label for line in lines]) for domain, lines in drawn.blocks] == [
        ("paris", ["s2s2 − baseline"]),
        ("oxford", ["s2s2 − baseline", "s2s2 − duplicate"]),
    ]
    assert drawn.blocks[1][1][0].figures == "+0.050 (+0.020 to +0.080)"


def test_the_whisker_lies_where_the_interval_does(tmp_path: Path) -> None:
    drawn = forest(written_run(tmp_path, [row("oxford", *BETTER)]), STYLES)
    assert drawn is not None
    ends = scale(0.0, 0.08, count=4)
    line = re.search(r'class="whisker".*?x1="([\d.]+)%" x2="([\d.]+)%"', drawn.blocks[0][1][0].svg)
    assert line is not None
    assert [float(value) for value in line.groups()] == [ends.place(0.02), ends.place(0.08)]


def test_other_metrics_stay_out_of_the_forest(tmp_path: Path) -> None:
    drawn = forest(
        written_run(tmp_path, [row("oxford", *BETTER), row("oxford", *OPEN, metric="hd95")]), STYLES
    )
    assert drawn is not None
    assert len(drawn.blocks[0][1]) == 1


def test_without_comparisons_there_is_no_forest(tmp_path: Path) -> None:
    assert forest(written_run(tmp_path, []), STYLES) is None


def test_curves_leave_out_what_is_always_zero(run_of: Runs) -> None:
    run = run_of().results
    titles = [panel.title for panel in curves(run, STYLES)]
    assert titles[0] == "Validation Dice"
    assert "Encoder consistency" in titles
    assert "Decoder consistency" not in titles
    (encoder,) = [panel for panel in curves(run, STYLES) if panel.title == "Encoder consistency"]
    assert encoder.svg.count('class="line"') == 1


def test_a_term_without_weight_is_said_to_be_watched(run_of: Runs) -> None:
    panels = curves(run_of().results, STYLES, unweighted=("encoder",))
    hints = {panel.title: panel.hint for panel in panels}
    assert hints["Encoder consistency"] == "only watched: its weight is 0"


def test_meters_of_a_term_without_weight_are_left_out(run_of: Runs) -> None:
    run = run_of().results
    metered = replace(run, history=run.history.assign(encoder_rank=3.0, decoder_rank=4.0))
    titles = [panel.title for panel in curves(metered, STYLES, unweighted=("decoder",))]
    assert "Encoder features: effective rank" in titles
    assert "Decoder features: effective rank" not in titles


def test_a_long_history_is_thinned_and_a_wild_start_does_not_break_it(tmp_path: Path) -> None:
    run = written_run(tmp_path, [])
    folder = run.folder.training("s2s2", 0)
    folder.root.mkdir(parents=True)
    steps = range(2000)
    losses = [1e6, *[1 / (1 + step) for step in steps[1:]]]
    pd.DataFrame({"step": steps, "total": losses, "validation_dice": None}).to_csv(
        folder.history, index=False
    )
    run = Results.read(RunFolder(tmp_path))
    (panel,) = curves(run, STYLES)
    assert len(panel.svg) < 12_000


def test_an_empty_history_draws_nothing(tmp_path: Path) -> None:
    assert curves(written_run(tmp_path, []), STYLES) == ()
