"""What became of each fault that was injected, judged in one way, and the table of all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from s2s2.cli import main


class Outcome(StrEnum):
    """What a command made of a fault: read, resumed or made again rightly, or refused by name; or a fault."""

    RIGHT = "right"
    REFUSED = "refused"
    TRACEBACK = "traceback"
    HANG = "hang"
    WRONG = "silently wrong"


BAD = (Outcome.TRACEBACK, Outcome.HANG, Outcome.WRONG)
"""Outcomes that no fault may have."""


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    Args:
        code: Exit code, None where it ended in an error that is no exit code, or did not end.
        said: What it said, with the traceback where there is one.
        in_time: Whether it ended by itself.
    """

    code: int | None
    said: str
    in_time: bool = True


def judge(ended: Ended, *, named: Collection[str], right: Callable[[], bool]) -> Outcome:
    """Say what a command made of a fault.

    Args:
        ended: How it ended.
        named: Names of which a refusal must hold one: the file, the folder, the case.
        right: Whether all that is there afterwards is as if there had been no fault.
    """
    if not ended.in_time:
        return Outcome.HANG
    if ended.code not in (0, 2) or "Traceback (most recent call last)" in ended.said:
        return Outcome.TRACEBACK
    if ended.code == 2:
        return Outcome.REFUSED if any(name in ended.said for name in named) else Outcome.WRONG
    return Outcome.RIGHT if right() else Outcome.WRONG


def call(words: Sequence[object], said: Callable[[], str]) -> Ended:
    """Run a command in this process.

    Args:
        words: The command line.
        said: Returns what was said on both streams.
    """
    try:
        code: int | None = main([str(word) for word in words])
        error = ""
    except Exception as cause:
        code, error = None, f"Traceback (most recent call last) {cause!r}"
    return Ended(code, said() + error)


def state(folder: Path, *, but: Collection[str] = ()) -> dict[str, bytes]:
    """Return the bytes of every file below a folder, but for some names; a missing folder has none."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in but and not any(part in but for part in path.parts)
    }


Note = Callable[[str, Outcome], None]
"""Notes the outcome of a fault of a kind: the fixture `note`."""


def table(outcomes: Iterable[tuple[str, str]]) -> str:
    """Return how many faults of each kind had which outcome, in Markdown as docs/reliability.md shows it."""
    counts: dict[str, Counter[str]] = {}
    for kind, outcome in outcomes:
        counts.setdefault(kind, Counter())[outcome] += 1
    head = ["kind", "tried", *Outcome]
    rows = [
        [kind, str(found.total()), *(str(found[each]) for each in Outcome)] for kind, found in counts.items()
    ]
    totals = [sum(int(row[column]) for row in rows) for column in range(1, len(head))]
    lines = [head, ["---", *["---:"] * len(totals)], *sorted(rows), ["all", *map(str, totals)]]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
