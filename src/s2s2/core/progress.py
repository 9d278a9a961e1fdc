"""Progress callbacks: how long-running work reports how far it is."""

from collections.abc import Callable
from typing import Protocol

Progress = Callable[[int, int, str], None]
"""Called with the number done, the number in all, and a few words on it."""

Count = Callable[[int, int], None]
"""Called with the number done and the number in all."""


class Reporter(Protocol):
    """Receives what a run reports; the command line draws it, a script may ignore it."""

    def stage(self, title: str, detail: str) -> None:
        """A stage begins, or is skipped because it is done."""
        ...

    def task(self, name: str) -> Progress:
        """A task with a progress bar of its own begins; call the result to move it."""
        ...


class Silent:
    """A reporter that shows nothing."""

    def stage(self, title: str, detail: str) -> None:
        """Ignore a stage."""

    def task(self, name: str) -> Progress:
        """Ignore a task."""
        return lambda done, total, words: None


def counting(update: Progress, unit: str) -> Count:
    """Return a progress callback that names what it counts."""
    return lambda done, total: update(done, total, f"{done} of {total} {unit}")
