"""A table on a page that is made from what the package says."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

DOCS = Path(__file__).parents[2] / "docs"
_END = "\n<!-- end of the table -->"


class MadeTable(NamedTuple):
    """A table between two comments on a page.

    Args:
        page: Name of the page in docs/.
        module: Name of the test module that writes it when it is run as a program.
    """

    page: str
    module: str

    @property
    def shown(self) -> str:
        """The table as it stands on the page."""
        return self._parts()[1]

    def write(self, table: str) -> None:
        """Put a table in its place."""
        before, _, after = self._parts()
        text = f"{before}{self._begin}{table}{_END}{after}"
        (DOCS / self.page).write_text(text, encoding="utf-8")

    @property
    def _begin(self) -> str:
        return f"<!-- This table is made by `python -m tests.contracts.{self.module}`. -->\n\n"

    def _parts(self) -> tuple[str, str, str]:
        text = (DOCS / self.page).read_text(encoding="utf-8")
        before, begin, rest = text.partition(self._begin)
        found, end, after = rest.partition(_END)
        if not begin or not end:
            raise ValueError(f"{self.page} lacks the comments that enclose its table.")
        return before, found, after
