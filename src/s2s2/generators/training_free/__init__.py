"""Generators without training, `appearance`, `composite`, `boxes`: real pixels rearranged, masks exact."""

from typing import TYPE_CHECKING

from s2s2.core.lazy import exported

if TYPE_CHECKING:
    from s2s2.generators.training_free.appearance import (
        Appearance as Appearance,
        AppearanceConfig as AppearanceConfig,
    )
    from s2s2.generators.training_free.boxes import Boxes as Boxes, BoxesConfig as BoxesConfig
    from s2s2.generators.training_free.composite import (
        Composite as Composite,
        CompositeConfig as CompositeConfig,
    )
else:
    __getattr__, __dir__ = exported(__name__)
