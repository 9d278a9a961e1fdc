"""The whole path as one resumable run."""

from typing import TYPE_CHECKING

from s2s2.core.lazy import exported

if TYPE_CHECKING:
    from s2s2.pipeline.demo import HOSPITALS as HOSPITALS, NUCLEI as NUCLEI, Demo as Demo
    from s2s2.pipeline.run import Run as Run
    from s2s2.run.config import RunConfig as RunConfig, SplitConfig as SplitConfig, StackConfig as StackConfig
    from s2s2.run.settings import load_config as load_config, save_config as save_config
else:
    __getattr__, __dir__ = exported(__name__)
