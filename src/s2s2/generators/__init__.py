"""Generators: new images of a mask that is already labelled.

`Composite` sets the labelled region into the surroundings of another patient,
`Appearance` gives an image another look, `Boxes` covers parts of the background.
None of these needs training, a GPU or a download, and none moves what the mask
labels. `diffusion` and `controlnet` learn to make wholly new images; they are
imported when they are built. `Folder` reads images made elsewhere. `Chain` lays
generators over each other, `Mixture` shares the copies among several.
"""

from typing import TYPE_CHECKING

from s2s2.core.lazy import exported

if TYPE_CHECKING:
    from s2s2.generators.build import (
        DEFAULT_GENERATOR as DEFAULT_GENERATOR,
        build_generator as build_generator,
        describe_generators as describe_generators,
    )
    from s2s2.generators.chain import Chain as Chain
    from s2s2.generators.folder import Folder as Folder, FolderConfig as FolderConfig
    from s2s2.generators.mixture import Mixture as Mixture
    from s2s2.generators.named import GeneratorInfo as GeneratorInfo
    from s2s2.generators.protocol import (
        Generator as Generator,
        Judge as Judge,
        Restyler as Restyler,
        Tunable as Tunable,
        traits as traits,
        tunables as tunables,
    )
    from s2s2.generators.training_free import (
        Appearance as Appearance,
        AppearanceConfig as AppearanceConfig,
        Boxes as Boxes,
        BoxesConfig as BoxesConfig,
        Composite as Composite,
        CompositeConfig as CompositeConfig,
    )
else:
    __getattr__, __dir__ = exported(__name__)
