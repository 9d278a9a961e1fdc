"""What a run tells while it works; the command line draws it, a script may ignore it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

Update = Callable[[int, int, str], None]
"""Called with the work done, the work in all, and a few words."""


class Reporter(Protocol):
    """Receives the story of a run."""

    def stage(self, title: str, detail: str) -> None:
        """A stage begins, or is skipped because it is done."""
        ...

    def task(self, name: str) -> Update:
        """A task with a progress bar of its own begins; call the result to move it."""
        ...


class Silent:
    """Says nothing."""

    def stage(self, title: str, detail: str) -> None:
        """Ignore a stage."""

    def task(self, name: str) -> Update:
        """Ignore a task."""
        return lambda done, total, words: None
