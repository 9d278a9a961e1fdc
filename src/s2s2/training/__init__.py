"""Training on Lightning: one code path for every arm."""

from typing import TYPE_CHECKING

from s2s2.core.lazy import exported

if TYPE_CHECKING:
    from s2s2.training.config import TrainConfig as TrainConfig
    from s2s2.training.fitting import FitResult as FitResult, fit as fit
else:
    __getattr__, __dir__ = exported(__name__)
