"""What an audit found, as a section of the report and as a page of its own."""

from s2s2.report.trust.methods import audit_methods
from s2s2.report.trust.page import audit_styles, build_audit_page
from s2s2.report.trust.section import Trust, build_audit_section

__all__ = ["Trust", "audit_methods", "audit_styles", "build_audit_page", "build_audit_section"]
