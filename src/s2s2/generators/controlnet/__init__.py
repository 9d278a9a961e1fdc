"""Generator `controlnet`: Stable Diffusion conditioned on a mask, the published generator."""

from typing import TYPE_CHECKING

from s2s2.core.lazy import exported

if TYPE_CHECKING:
    from s2s2.generators.controlnet.config import ControlNetConfig as ControlNetConfig
    from s2s2.generators.controlnet.generator import ControlNet as ControlNet
else:
    __getattr__, __dir__ = exported(__name__)
