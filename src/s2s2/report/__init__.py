"""The report: figures, galleries and one HTML page that can be sent, printed and believed."""

from s2s2.report.headline import Claim, Headline, headline
from s2s2.report.page import build_report
from s2s2.report.reading import Run, read_run
from s2s2.report.trust import build_audit_page, build_audit_section

__all__ = [
    "Claim",
    "Headline",
    "Run",
    "build_audit_page",
    "build_audit_section",
    "build_report",
    "headline",
    "read_run",
]
