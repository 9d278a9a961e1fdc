"""What a run tells while it works; the command line draws it, a script may ignore it."""

from __future__ import annotations

from typing import Protocol

from s2s2.core.progress import Progress


class Reporter(Protocol):
    """Receives the story of a run."""

    def stage(self, title: str, detail: str) -> None:
        """A stage begins, or is skipped because it is done."""
        ...

    def task(self, name: str) -> Progress:
        """A task with a progress bar of its own begins; call the result to move it."""
        ...


class Silent:
    """Says nothing."""

    def stage(self, title: str, detail: str) -> None:
        """Ignore a stage."""

    def task(self, name: str) -> Progress:
        """Ignore a task."""
        return lambda done, total, words: None
