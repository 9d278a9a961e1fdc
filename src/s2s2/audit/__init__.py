"""Trust in a stack: do its copies show their masks, differ enough, and copy no training image?"""

from typing import TYPE_CHECKING

from s2s2.core.lazy import exported

if TYPE_CHECKING:
    from s2s2.audit.config import AuditConfig as AuditConfig
    from s2s2.audit.reference import RealImages as RealImages
    from s2s2.audit.result import Audit as Audit
    from s2s2.audit.run import run_audit as run_audit
    from s2s2.audit.segmenters import Segmenters as Segmenters
else:
    __getattr__, __dir__ = exported(__name__)
