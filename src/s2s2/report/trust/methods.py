"""The audit, as a paragraph for a paper."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from s2s2.report.numbers import joined

if TYPE_CHECKING:
    from s2s2.audit import Audit

_TAKEN = {
    "leave-out": "; marked copies were not trained on",
    "mask": "; of these, copies that show another mask were trained on without the disputed pixels, the "
    "others not at all",
    "keep": "; they were trained on all the same",
}


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
        "showed a training image over again. Marked were "
        f"{joined([_counted(audit) for audit in audits])}{_TAKEN.get(marked or '', '')}.",
    )


def _counted(audit: Audit) -> str:
    marks, stack = audit.record["marks"], audit.record.get("stack") or {}
    found = f"{marks.get('copies', 0)} of {stack.get('copies', len(audit.copies))} copies"
    return f"{found} by {stack['generator']}" if stack.get("generator") else found
