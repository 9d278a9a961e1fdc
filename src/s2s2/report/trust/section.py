"""Can the stack be trusted? What its audit found, ready for the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from s2s2.report.figures import CurvePanel
from s2s2.report.numbers import DASH, count, joined, plain
from s2s2.report.palette import REAL, ArmStyle
from s2s2.report.settings import flattened
from s2s2.report.sheets import Sheet
from s2s2.report.trust.marked import Marked, marked_copies, treatment
from s2s2.report.trust.plots import audit_plots, how_to_read
from s2s2.report.trust.reading import Figure, PartFigures, part_figures
from s2s2.report.trust.sheets import audit_sheets
from s2s2.report.trust.table import HEADS, Row, caption, part_row
from s2s2.run.names import without_options

if TYPE_CHECKING:
    import pandas as pd

    from s2s2.audit import Audit


@dataclass(frozen=True, slots=True)
class Trust:
    """Everything that the page says of one stack.

    Args:
        title: Which stack.
        level: "good", "look" or "poor".
        setting: What was audited, in a sentence.
        verdict: What was found, in sentences; the first is the verdict itself.
        treatment: What training does with marked copies.
        caption: Of the table.
        heads: Its columns after the first.
        rows: One a generator.
        styles: Of real images and generators.
        plots: The figures.
        reading: How to read them.
        sheets: Pictures.
        marked: The marked copies.
        classes: Agreement by class, as text; empty for one class.
        record: Settings and software.
        version: Of s2s2.
    """

    title: str
    level: str
    setting: str
    verdict: tuple[str, ...]
    treatment: str
    caption: str
    heads: tuple[str, ...]
    rows: tuple[Row, ...]
    styles: tuple[ArmStyle, ...]
    plots: tuple[CurvePanel, ...]
    reading: str
    sheets: tuple[Sheet, ...]
    marked: Marked
    classes: tuple[tuple[str, ...], ...]
    record: Mapping[str, str]
    version: str


def build_audit_section(audit: Audit, styles: Mapping[str, ArmStyle], *, marked: str | None = None) -> Trust:
    """Put an audit into words, a table, figures and pictures.

    Args:
        audit: What was found.
        styles: Of real images, of each generator of the stack and of all copies together.
        marked: What the run's training did with marked copies: leave-out, mask or keep;
            None where none was run.

    Raises:
        AuditError: If a table of the audit cannot be read.
        StorageError: If a picture cannot be read.
    """
    parts, copies = part_figures(audit), audit.copies
    names = list(audit.record["parts"])
    stack = audit.record.get("stack") or {}
    depth = int(stack.get("depth") or copies["copy"].max() + 1)
    software = audit.record.get("software") or {}
    return Trust(
        title=without_options(str(stack.get("generator") or joined(names))),
        level=audit.level,
        setting=_setting(audit, names, depth),
        verdict=audit.verdict,
        treatment=treatment(copies, marked),
        caption=caption(audit),
        heads=HEADS,
        rows=tuple(part_row(part, depth, styles[part.name]) for part in parts),
        styles=tuple(styles[name] for name in (REAL, *names)),
        plots=audit_plots(audit, depth, styles),
        reading=how_to_read(parts),
        sheets=audit_sheets(audit),
        marked=marked_copies(copies),
        classes=_classes(audit, parts),
        record=_record(audit),
        version=str(software.get("s2s2", "")),
    )


def _setting(audit: Audit, names: list[str], depth: int) -> str:
    cases = audit.cases
    return (
        f"{count(len(cases), 'training mask')} of {count(cases['group'].nunique(), 'group')}, "
        f"{count(depth, 'copy', 'copies')} each, made by {joined(names)}. Networks that never saw a real "
        "image of its group read every copy, and every copy was looked up among the real training images."
    )


def _classes(audit: Audit, parts: tuple[PartFigures, ...]) -> tuple[tuple[str, ...], ...]:
    real = audit.record["real"].get("agreement_by_class") or {}
    if len(real) < 2:
        return ()
    cases = audit.cases
    return tuple(
        (name, part.name, figure.text(3), Figure.read(real[name]).text(3), _shown(cases, name))
        for name in real
        for part in parts
        if (figure := part.classes.get(name)) is not None
    )


def _shown(cases: pd.DataFrame, name: str) -> str:
    column = f"real_agreement_{name}"
    return str(int(cases[column].notna().sum())) if column in cases else DASH


def _record(audit: Audit) -> dict[str, str]:
    content = {name: audit.record.get(name) or {} for name in ("thresholds", "config", "software")}
    lines = {
        name: plain(float(value), 4) for name, value in content["thresholds"].items() if value is not None
    }
    return {
        **{f"line drawn at {name}": value for name, value in lines.items()},
        **{name: str(value) for name, value in flattened(content["config"]).items()},
        **{f"version of {name}": str(value) for name, value in content["software"].items()},
    }
