"""The copies that an audit has marked, and what training does with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from s2s2.report.numbers import count, plain

if TYPE_CHECKING:
    import pandas as pd

MOST = 100
"""So many marked copies are listed on the page; the audit's table holds all."""

_HEADS = ("Case", "Copy", "Made by", "Why", "Dice", "Of its real image", "Nearest real image", "d1/d2")
_TREATMENTS = {
    "leave-out": "The training of this run left marked copies out, and drew others of the same mask in "
    "their place.",
    "mask": "The training of this run left out copies that are training images over again or broken; of "
    "those that show another mask it ignored the pixels that the judges dispute.",
    "keep": "The training of this run took marked copies as they are.",
}


@dataclass(frozen=True, slots=True)
class Marked:
    """A table of marked copies.

    Args:
        title: How many there are.
        caption: What is listed.
        heads: Of the columns.
        rows: As text.
    """

    title: str
    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def marked_copies(copies: pd.DataFrame) -> Marked:
    """List the marked copies of an audit's table.

    Args:
        copies: One row a copy.
    """
    found = copies[copies["marks"] != ""]
    caption = "Marked copies. Dice is that of the judges, on the copy and on the real image of its case."
    if len(found) > MOST:
        caption += f" The first {MOST} of {len(found)}; audit/copies.csv in the stack has all."
    rows = tuple(
        (
            str(row["case"]),
            str(int(row["copy"])),
            str(row["part"]),
            str(row["marks"]).replace(";", ", "),
            plain(float(row["agreement"])),
            plain(float(row["real_agreement"])),
            str(row["nearest_case"]),
            plain(float(row["ratio"])),
        )
        for _, row in found.head(MOST).iterrows()
    )
    return Marked(count(len(found), "marked copy", "marked copies"), caption, _HEADS, rows)


def treatment(copies: pd.DataFrame, marked: str | None) -> str:
    """Say what training does with the marked copies.

    Args:
        copies: One row a copy.
        marked: What the run did: leave-out, mask or keep; None where none was run.
    """
    if not (copies["marks"] != "").any():
        return "No copy is marked, so training draws from all of them."
    unknown = "Training leaves marked copies out, unless it is told otherwise with --train.marked."
    return _TREATMENTS.get(marked or "", unknown)
