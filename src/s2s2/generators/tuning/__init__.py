"""Tuning: the one way in which a learnt generator learns.

A generator brings a `TunedModule` (what learns, its loss, how it samples) and a
map-style set of items; `run_tuning` does the rest on Lightning: steps, averaged
weights, samples that are judged and drawn, early stop, resumption after a kill.
"""

from typing import TYPE_CHECKING

from s2s2.core.lazy import exported

if TYPE_CHECKING:
    from s2s2.generators.tuning.config import LearningConfig as LearningConfig, TuneConfig as TuneConfig
    from s2s2.generators.tuning.engine import run_tuning as run_tuning
    from s2s2.generators.tuning.memory import memory_errors as memory_errors
    from s2s2.generators.tuning.module import TunedModule as TunedModule
    from s2s2.generators.tuning.record import (
        ADVICE as ADVICE,
        check_weights as check_weights,
        read_record as read_record,
        tuning_record as tuning_record,
        weights_digest as weights_digest,
    )
else:
    __getattr__, __dir__ = exported(__name__)
