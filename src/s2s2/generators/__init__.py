"""Generators: new images of a mask that is already labelled.

`Composite` sets the labelled region into the surroundings of another patient,
`Appearance` gives an image another look, `Boxes` covers parts of the background;
`Chain` lays them over each other. None needs training, a GPU or a download, and
none moves what the mask labels.
"""

from s2s2.generators.appearance import Appearance, AppearanceConfig
from s2s2.generators.boxes import Boxes, BoxesConfig
from s2s2.generators.build import DEFAULT_GENERATOR, build_generator, describe_generators
from s2s2.generators.chain import Chain
from s2s2.generators.composite import Composite, CompositeConfig
from s2s2.generators.protocol import Generator, Restyler

__all__ = [
    "DEFAULT_GENERATOR",
    "Appearance",
    "AppearanceConfig",
    "Boxes",
    "BoxesConfig",
    "Chain",
    "Composite",
    "CompositeConfig",
    "Generator",
    "Restyler",
    "build_generator",
    "describe_generators",
]
