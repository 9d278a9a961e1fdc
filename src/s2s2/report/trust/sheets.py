"""The audit's picture sheets on the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from s2s2.report.sheets import Sheet, read_sheet

if TYPE_CHECKING:
    from s2s2.audit import Audit

_CAPTIONS = {
    "fidelity_best": "Best: copies that judges read best, against what is expected of their case.",
    "fidelity_median": "Median: copies read just as well as half of all.",
    "fidelity_worst": "Worst: the copies that fall furthest below what is expected of their case.",
    "neighbours": "Nearest: the copies that lie nearest to one real training image, and this image. Where "
    "both show one picture, it was learnt by heart.",
    "rejected": "Rejected: marked copies, every reason in turn.",
}


def audit_sheets(audit: Audit) -> tuple[Sheet, ...]:
    """Take the sheets of an audit into the page, those that are known first.

    Raises:
        StorageError: If a sheet cannot be read.
    """
    found = audit.sheets
    names = [*(name for name in _CAPTIONS if name in found), *sorted(set(found) - set(_CAPTIONS))]
    return tuple(_sheet(audit, name) for name in names)


def _sheet(audit: Audit, name: str) -> Sheet:
    caption = _CAPTIONS.get(name, f"{name.replace('_', ' ').capitalize()}.")
    return read_sheet(audit.sheets[name], alt=f"Picture sheet of the audit. {caption}", caption=caption)
