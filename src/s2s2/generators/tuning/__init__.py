"""Tuning: the one way in which a learnt generator learns.

A generator brings a `TunedModule` (what learns, its loss, how it samples) and a
map-style set of items; `run_tuning` does the rest on Lightning: steps, averaged
weights, samples that are judged and drawn, early stop, resumption after a kill.
"""

from s2s2.core.progress import Progress
from s2s2.generators.protocol import Judge
from s2s2.generators.tuning.config import TuneConfig
from s2s2.generators.tuning.engine import run_tuning
from s2s2.generators.tuning.memory import memory_errors
from s2s2.generators.tuning.module import TunedModule
from s2s2.generators.tuning.record import (
    Record,
    check_record,
    check_weights,
    fingerprint_of,
    read_record,
    weights_digest,
)

__all__ = [
    "Judge",
    "Progress",
    "Record",
    "TuneConfig",
    "TunedModule",
    "check_record",
    "check_weights",
    "fingerprint_of",
    "memory_errors",
    "read_record",
    "run_tuning",
    "weights_digest",
]
