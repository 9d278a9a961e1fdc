"""Generator `diffusion`: new images per mask by a network that is trained from scratch, without a hub."""

from typing import TYPE_CHECKING

from s2s2.core.lazy import exported

if TYPE_CHECKING:
    from s2s2.generators.diffusion.config import DiffusionConfig as DiffusionConfig
    from s2s2.generators.diffusion.generator import Diffusion as Diffusion
else:
    __getattr__, __dir__ = exported(__name__)
