"""Trust in a stack: do its copies show their masks, differ enough, and copy no training image?"""

from s2s2.audit.config import AuditConfig
from s2s2.audit.reference import RealImages
from s2s2.audit.result import Audit
from s2s2.audit.run import run_audit
from s2s2.audit.segmenters import Segmenters

__all__ = ["Audit", "AuditConfig", "RealImages", "Segmenters", "run_audit"]
