"""`appearance`, `composite` and `boxes`: real pixels, rearranged; nothing is trained, masks are exact."""

from s2s2.generators.training_free.appearance import Appearance, AppearanceConfig
from s2s2.generators.training_free.boxes import Boxes, BoxesConfig
from s2s2.generators.training_free.composite import Composite, CompositeConfig

__all__ = ["Appearance", "AppearanceConfig", "Boxes", "BoxesConfig", "Composite", "CompositeConfig"]
