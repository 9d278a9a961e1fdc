"""Training on Lightning: one code path for every arm."""

from s2s2.arms import ARMS, Arm, get_arm
from s2s2.training.config import TrainConfig
from s2s2.training.fitting import FitResult, fit

__all__ = ["ARMS", "Arm", "FitResult", "TrainConfig", "fit", "get_arm"]
