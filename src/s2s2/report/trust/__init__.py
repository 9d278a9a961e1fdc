"""What an audit found, as a section of the report and as a page of its own."""

from typing import TYPE_CHECKING

from s2s2.core.lazy import exported

if TYPE_CHECKING:
    from s2s2.report.trust.methods import audit_methods as audit_methods
    from s2s2.report.trust.page import audit_styles as audit_styles, build_audit_page as build_audit_page
    from s2s2.report.trust.section import Trust as Trust, build_audit_section as build_audit_section
else:
    __getattr__, __dir__ = exported(__name__)
