"""Generators: new images of a mask that is already labelled.

`Composite` sets the labelled region into the surroundings of another patient,
`Appearance` gives an image another look, `Boxes` covers parts of the background.
None of these needs training, a GPU or a download, and none moves what the mask
labels. `diffusion` and `controlnet` learn to make wholly new images; they are
imported when they are built. `Folder` reads images made elsewhere. `Chain` lays
generators over each other, `Mixture` shares the copies among several.
"""

from s2s2.generators.build import DEFAULT_GENERATOR, build_generator, describe_generators
from s2s2.generators.chain import Chain
from s2s2.generators.folder import Folder, FolderConfig
from s2s2.generators.mixture import Mixture
from s2s2.generators.named import GeneratorInfo
from s2s2.generators.protocol import Generator, Judge, Restyler, Tunable, traits, tunables
from s2s2.generators.training_free import (
    Appearance,
    AppearanceConfig,
    Boxes,
    BoxesConfig,
    Composite,
    CompositeConfig,
)

__all__ = [
    "DEFAULT_GENERATOR",
    "Appearance",
    "AppearanceConfig",
    "Boxes",
    "BoxesConfig",
    "Chain",
    "Composite",
    "CompositeConfig",
    "Folder",
    "FolderConfig",
    "Generator",
    "GeneratorInfo",
    "Judge",
    "Mixture",
    "Restyler",
    "Tunable",
    "build_generator",
    "describe_generators",
    "traits",
    "tunables",
]
