"""Problems of a data set: what is wrong with a case or a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one case or file.

    Args:
        level: "error" if training would break, "warning" if it needs a second look.
        rule: Short name of the rule, such as "image-without-mask".
        subject: The case id or the file.
        message: What was got, what was expected and what to do.
    """

    level: Literal["error", "warning"]
    rule: str
    subject: str
    message: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.message}"


def several(problems: list[Problem], *, shown: int = 3) -> str:
    """Join problems to one text: the first few, and how many more there are."""
    more = f" And {len(problems) - shown} more: `s2s2 check` lists them all." if len(problems) > shown else ""
    return " ".join(map(str, problems[:shown])) + more
