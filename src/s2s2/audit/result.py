"""Result of an audit, read from its folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NotRequired

from typing_extensions import TypedDict

from s2s2.core.records import Record
from s2s2.core.storage import read_json, whole_files
from s2s2.core.tables import read_frame
from s2s2.errors import AuditError

if TYPE_CHECKING:
    import pandas as pd

RECORD = "audit.json"
COPIES = "copies.csv"
CASES = "cases.csv"
SHEETS = "sheets"
_TEXT = ("case", "group", "part", "nearest_case", "marks")


_Numbers = dict[str, float | None]


class _Verdict(TypedDict):
    level: str
    sentences: list[str]


class _Found(TypedDict):
    """Figures of the copies of one generator, or of real images."""

    traits: NotRequired[list[str]]
    agreement: NotRequired[_Numbers | None]
    agreement_by_class: NotRequired[dict[str, _Numbers] | None]
    diversity: NotRequired[_Numbers | None]
    distance: NotRequired[_Numbers | None]
    distance_own: NotRequired[_Numbers | None]
    ssim_own: NotRequired[_Numbers | None]
    ratio: NotRequired[_Numbers | None]
    kid: NotRequired[_Numbers | None]
    fid: NotRequired[float | None]
    near_duplicates: NotRequired[int | None]
    marked: NotRequired[dict[str, int] | None]
    dispersion: NotRequired[dict[str, _Numbers] | None]


class _Copies(_Found):
    copies: int


class _Stack(TypedDict):
    generator: NotRequired[str]
    copies: NotRequired[int]


class _Content(TypedDict):
    """Shape of audit.json, as far as it is read."""

    verdict: _Verdict
    marks: dict[str, int]
    thresholds: _Numbers
    power: NotRequired[float | None]
    stack: NotRequired[_Stack]
    real: _Found
    parts: dict[str, _Copies]
    whole: NotRequired[_Copies]
    config: NotRequired[dict[str, Any]]
    software: NotRequired[dict[str, Any]]


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
            AuditError: If there is none, it is corrupt, or a file of it was altered.
        """
        folder = Path(folder)
        inner = folder / "audit"
        found = inner if (inner / RECORD).is_file() else folder
        if not (found / RECORD).is_file():
            raise AuditError(
                f"There is no finished audit in {folder}: it has no {RECORD}. "
                "Run `s2s2 audit` on the stack first."
            )
        content = read_json(found / RECORD, error=AuditError, shape=_Content)
        Record(found / RECORD, {}, error=AuditError).require_whole("Run `s2s2 audit` on the stack again.")
        return cls(found, content)

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
        return {path.stem: path for path in whole_files(self.folder / SHEETS, "*.jpg")}

    def _table(self, name: str) -> pd.DataFrame:
        advice = f"Remove the folder {self.folder} and run `s2s2 audit` again."
        return read_frame(self.folder / name, _TEXT, error=AuditError, advice=advice)
