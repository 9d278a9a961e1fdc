"""What an audit found of a stack: a section of the report, and a page of its own for `s2s2 audit`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from s2s2.core.inputs import flattened
from s2s2.core.storage import write_text
from s2s2.report.elements import Sheet, render
from s2s2.report.figures import CurvePanel
from s2s2.report.numbers import DASH, count, joined, plain
from s2s2.report.palette import REAL, ArmStyle, generator_styles
from s2s2.report.trust.figures import audit_plots, how_to_read
from s2s2.report.trust.table import HEADS, Figure, Part, Row, caption, part_row, parts_of
from s2s2.run.names import without_options

if TYPE_CHECKING:
    import pandas as pd

    from s2s2.audit import Audit

MOST = 100
"""So many marked copies are listed on the page; the audit's table holds all."""

_HEADS = ("Case", "Copy", "Made by", "Why", "Dice", "Of its real image", "Nearest real image", "d1/d2")
_TREATMENTS = {
    "leave-out": (
        "The training of this run left marked copies out, and drew others of the same mask in their place.",
        "; marked copies were not trained on",
    ),
    "mask": (
        "The training of this run left out copies that repeat training images or are broken; of those that "
        "show another mask it ignored the pixels that the judges dispute.",
        "; of these, copies that show another mask were trained on without the disputed pixels, the others "
        "not at all",
    ),
    "keep": (
        "The training of this run took marked copies as they are.",
        "; they were trained on all the same",
    ),
}
"""What a training does with marked copies: as a sentence of the page, and as a clause of the methods."""
_UNKNOWN = ("Training leaves marked copies out, unless --train.marked says otherwise.", "")
_CAPTIONS = {
    "fidelity_best": "Best: copies that judges read best, against what is expected of their case.",
    "fidelity_median": "Median: copies read just as well as half of all.",
    "fidelity_worst": "Worst: the copies that fall furthest below what is expected of their case.",
    "neighbours": "Nearest: the copies that lie nearest to one real training image, and this image. Where "
    "both show one picture, it was learnt by heart.",
    "rejected": "Rejected: marked copies, every reason in turn.",
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
    parts, copies = parts_of(audit), audit.copies
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
        rows=tuple(part_row(part, styles[part.name]) for part in parts),
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


def _classes(audit: Audit, parts: tuple[Part, ...]) -> tuple[tuple[str, ...], ...]:
    real = audit.record["real"].get("agreement_by_class") or {}
    if len(real) < 2:
        return ()
    cases = audit.cases
    return tuple(
        (name, part.name, figure.text(3), Figure.read(real[name]).text(3), _shown(cases, name))
        for name in real
        for part in parts
        if (figure := part.figure("agreement_by_class", name)).known
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
    return _TREATMENTS.get(marked or "", _UNKNOWN)[0]


def audit_sheets(audit: Audit) -> tuple[Sheet, ...]:
    """Take the sheets of an audit into the page, those that are known first.

    Raises:
        StorageError: If a sheet cannot be read.
    """
    found = audit.sheets
    names = [*(name for name in _CAPTIONS if name in found), *sorted(set(found) - set(_CAPTIONS))]
    captions = {name: _CAPTIONS.get(name, f"{name.replace('_', ' ').capitalize()}.") for name in names}
    return tuple(
        Sheet.read(found[name], alt=f"Picture sheet of the audit. {text}", caption=text)
        for name, text in captions.items()
    )


def build_audit_page(stack_folder: str | Path, output: str | Path) -> Path:
    """Write what an audit found as one HTML file without any link to a file or a host.

    Args:
        stack_folder: An audited stack, or its folder audit.
        output: The HTML file to write.

    Returns:
        The path of the page.

    Raises:
        AuditError: If the stack was not audited, or its audit is corrupt.
        StorageError: If a picture cannot be read, or the page cannot be written.
    """
    from s2s2.audit import Audit

    audit = Audit.load(stack_folder)
    styles = generator_styles(list(audit.record["parts"]))
    content = {"trust": build_audit_section(audit, styles), "styles": list(styles.values())}
    write_text(output, render("audit.html.jinja", content))
    return Path(output)


def audit_methods(audits: Sequence[Audit], marked: str | None) -> tuple[str, ...]:
    """Return the paragraph, none where nothing was audited.

    Args:
        audits: Of the run's stacks.
        marked: What the training did with marked copies: leave-out, mask or keep.
    """
    if not audits:
        return ()
    config = audits[0].record.get("config") or {}
    folds = f"{config['folds']} networks" if "folds" in config else "Networks"
    return (
        f"The synthetic images were audited. {folds} trained on the real training images, cross-fitted by "
        "group, segmented every copy; a copy was marked where its Dice with the mask fell further below "
        "that of its case than views of held-out real images do, or where features of an ImageNet encoder "
        "repeated a training image. Marked were "
        f"{joined([_counted(audit) for audit in audits])}{_TREATMENTS.get(marked or '', _UNKNOWN)[1]}.",
    )


def _counted(audit: Audit) -> str:
    marks, stack = audit.record["marks"], audit.record.get("stack") or {}
    found = f"{marks.get('copies', 0)} of {stack.get('copies', len(audit.copies))} copies"
    return f"{found} by {stack['generator']}" if stack.get("generator") else found
