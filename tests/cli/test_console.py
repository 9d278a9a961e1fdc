from __future__ import annotations

import io

import pytest
from rich.console import Console

from s2s2.cli.console import TerminalReporter


def test_a_log_file_gets_a_line_a_quarter() -> None:
    text = io.StringIO()
    with TerminalReporter(Console(file=text, force_terminal=False, width=100)) as reporter:
        reporter.stage("train", "every arm")
        update = reporter.task("baseline seed 0")
        for step in range(101):
            update(step, 100, "")
    lines = text.getvalue().splitlines()
    assert [line for line in lines if "%" in line] == [
        f"  baseline seed 0: {quarter} %  " for quarter in (25, 50, 75, 100)
    ]


def test_a_task_that_counts_anew_tells_anew_and_a_long_line_stays_one() -> None:
    text = io.StringIO()
    with TerminalReporter(Console(file=text, force_terminal=False, width=40)) as reporter:
        update = reporter.task("audit")
        for words in ("measuring real images that are many", "judging copies that are many more"):
            for done in range(1, 9):
                update(done, 8, words)
    lines = [line for line in text.getvalue().splitlines() if line]
    assert len(lines) == 8
    assert lines[4] == "  audit: 25 %  judging copies that are many more"


def test_a_terminal_gets_a_bar() -> None:
    text = io.StringIO()
    with TerminalReporter(Console(file=text, force_terminal=True, width=100)) as reporter:
        reporter.task("stack")(3, 4, "3 of 4 masks")
    assert "75%" in text.getvalue()
    assert "3 of 4 masks" in text.getvalue()


@pytest.mark.parametrize("terminal", [True, False])
def test_what_stands_in_brackets_is_shown(terminal: bool) -> None:
    text = io.StringIO()
    with TerminalReporter(
        Console(file=text, force_terminal=terminal, color_system=None, width=100)
    ) as reporter:
        reporter.stage("train", "on site[bold]")
        reporter.task("stack of site[red]")(4, 4, "in folder[blue]")
    for words in ("site[bold]", "site[red]", "folder[blue]"):
        assert words in text.getvalue()
