"""Progress bars and lines on the terminal."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress as Bars, TaskProgressColumn, TextColumn, TimeRemainingColumn

from s2s2.core.progress import Progress


class TerminalReporter:
    """Draws one line a stage and one bar a task; plain lines where there is no terminal."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True)
        self.progress = Bars(
            TextColumn("  {task.description}", justify="left", markup=False),
            BarColumn(bar_width=24),
            TaskProgressColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[words]}", style="dim", markup=False),
            console=self.console,
        )

    def __enter__(self) -> TerminalReporter:
        """Begin to draw."""
        self.progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the bars as they stand."""
        self.progress.stop()

    def stage(self, title: str, detail: str) -> None:
        """Print the name of a stage, and take the bars of the one before away."""
        for task in self.progress.task_ids:
            self.progress.remove_task(task)
        self.console.print(
            f"[bold]{title:<8}[/bold] {escape(detail)}", soft_wrap=not self.console.is_terminal
        )

    def task(self, name: str) -> Progress:
        """Add a bar that appears when its task first reports."""
        if not self.console.is_terminal:
            return self._lines(name)
        identity = self.progress.add_task(name, total=None, words="", visible=False)

        def update(done: int, total: int, words: str) -> None:
            self.progress.update(identity, completed=done, total=total, words=words, visible=True)

        return update

    def _lines(self, name: str) -> Progress:
        """Print a plain line at every quarter, as a log file wants it."""
        reported = 0

        def update(done: int, total: int, words: str) -> None:
            nonlocal reported
            quarter = 4 * done // max(total, 1)
            # A task that counts from 0 again, as an audit does for the copies, reports again.
            reported = min(reported, quarter)
            if quarter > reported:
                reported = quarter
                self.console.print(
                    f"  {name}: {25 * quarter} %  {words}", markup=False, highlight=False, soft_wrap=True
                )

        return update
