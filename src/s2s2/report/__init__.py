"""The report: figures, galleries and one HTML page that can be sent, printed and believed."""

from typing import TYPE_CHECKING

from s2s2.core.lazy import exported

if TYPE_CHECKING:
    from s2s2.report.headline import Claim as Claim, Headline as Headline
    from s2s2.report.page import build_report as build_report
    from s2s2.report.trust.section import (
        build_audit_page as build_audit_page,
        build_audit_section as build_audit_section,
    )
else:
    __getattr__, __dir__ = exported(__name__)
