"""The page of one audit, for `s2s2 audit`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from s2s2.core.storage import write_text
from s2s2.report.palette import ArmStyle, generator_styles
from s2s2.report.rendering import render
from s2s2.report.trust.section import build_audit_section

if TYPE_CHECKING:
    from s2s2.audit import Audit


def build_audit_page(stack_folder: str | Path, output: str | Path) -> Path:
    """Write what an audit found as one HTML file without any link to a file or a host.

    Args:
        stack_folder: An audited stack, or its folder audit.
        output: The HTML file to write.

    Returns:
        The path of the page.

    Raises:
        AuditError: If the stack was not audited, or its audit is torn.
        StorageError: If a picture cannot be read, or the page cannot be written.
    """
    from s2s2.audit import Audit

    audit = Audit.load(stack_folder)
    styles = audit_styles([audit])
    trust = build_audit_section(audit, styles)
    write_text(Path(output), render("audit.html.jinja", {"trust": trust, "styles": list(styles.values())}))
    return Path(output)


def audit_styles(audits: Sequence[Audit]) -> dict[str, ArmStyle]:
    """Return the style of real images and of every generator, the same for all audits of a page.

    Args:
        audits: All that the page shows.
    """
    return generator_styles([part for audit in audits for part in audit.record["parts"]])
