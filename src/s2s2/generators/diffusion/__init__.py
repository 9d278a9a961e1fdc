"""`diffusion`: new images of a mask by a network that is trained from scratch, without any hub."""

from s2s2.generators.diffusion.config import DiffusionConfig
from s2s2.generators.diffusion.generator import Diffusion

__all__ = ["Diffusion", "DiffusionConfig"]
