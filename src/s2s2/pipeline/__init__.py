"""The whole path as one resumable run."""

from s2s2.pipeline.demo import demo_config
from s2s2.pipeline.estimate import estimate
from s2s2.pipeline.run import Run
from s2s2.run.config import RunConfig, SplitConfig, StackConfig
from s2s2.run.settings import load_config, save_config

__all__ = [
    "Run",
    "RunConfig",
    "SplitConfig",
    "StackConfig",
    "demo_config",
    "estimate",
    "load_config",
    "save_config",
]
