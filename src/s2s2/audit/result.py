"""Result of an audit, read from its folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s2s2.core.storage import read_json
from s2s2.core.tables import read_frame
from s2s2.errors import AuditError

if TYPE_CHECKING:
    import pandas as pd

RECORD = "audit.json"
COPIES = "copies.csv"
CASES = "cases.csv"
SHEETS = "sheets"
_TEXT = ("case", "group", "part", "nearest_case", "marks")


@dataclass(frozen=True)
class Audit:
    """A finished audit.

    Args:
        folder: Where it lies: the folder `audit` of a stack.
        record: Content of its audit.json.
    """

    folder: Path
    record: dict[str, Any]

    @classmethod
    def load(cls, folder: str | Path) -> Audit:
        """Read the audit of a stack.

        Args:
            folder: Of the stack, or of its audit.

        Raises:
            AuditError: If there is none, or it is corrupt.
        """
        folder = Path(folder)
        inner = folder / "audit"
        found = inner if (inner / RECORD).is_file() else folder
        if not (found / RECORD).is_file():
            raise AuditError(
                f"There is no finished audit in {folder}: it has no {RECORD}. "
                "Run `s2s2 audit` on the stack first."
            )
        record = read_json(found / RECORD, error=AuditError)
        missing = [name for name in ("verdict", "marks", "thresholds", "real", "parts") if name not in record]
        if missing:
            raise AuditError(
                f"{found / RECORD} lacks {', '.join(missing)}. Remove the folder and run `s2s2 audit` again."
            )
        return cls(found, record)

    @property
    def level(self) -> str:
        """How far the stack can be trusted: "good", "look" or "poor"."""
        return str(self.record["verdict"]["level"])

    @property
    def verdict(self) -> tuple[str, ...]:
        """What was found, in sentences; the first is the verdict itself."""
        return tuple(self.record["verdict"]["sentences"])

    @property
    def copies(self) -> pd.DataFrame:
        """One row for each copy."""
        return self._table(COPIES)

    @property
    def cases(self) -> pd.DataFrame:
        """One row for each training case."""
        return self._table(CASES)

    @property
    def sheets(self) -> dict[str, Path]:
        """The picture sheets that were drawn, by name."""
        return {path.stem: path for path in sorted((self.folder / SHEETS).glob("*.jpg"))}

    def _table(self, name: str) -> pd.DataFrame:
        advice = f"Remove the folder {self.folder} and run `s2s2 audit` again."
        return read_frame(self.folder / name, _TEXT, error=AuditError, advice=advice)
