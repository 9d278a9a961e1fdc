"""`ControlNet`: Stable Diffusion, told by a mask what to show; the published generator."""

from s2s2.generators.controlnet.config import ControlNetConfig
from s2s2.generators.controlnet.generator import ControlNet

__all__ = ["ControlNet", "ControlNetConfig"]
