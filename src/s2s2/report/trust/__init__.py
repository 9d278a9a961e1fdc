"""What an audit found, as a section of the report and as a page of its own."""

from typing import TYPE_CHECKING

from s2s2.core.lazy import exported

if TYPE_CHECKING:
    from s2s2.report.trust.section import (
        Trust as Trust,
        audit_methods as audit_methods,
        build_audit_page as build_audit_page,
        build_audit_section as build_audit_section,
    )
else:
    __getattr__, __dir__ = exported(__name__)
