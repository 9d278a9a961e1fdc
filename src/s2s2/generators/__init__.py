"""Generators of synthetic images: new images of a mask that is already labelled.

`Composite` sets the labelled region into the surroundings of another patient,
`Appearance` gives an image another patient's style, `RandConv` a style that no scanner
has, `Boxes` covers parts of the background.
None of these needs training, a GPU or a download, and none moves what the mask
labels. `diffusion` and `controlnet` learn to make wholly new images. `Folder` reads
images made elsewhere. `Chain` applies generators one after the other, `Mixture`
shares the copies among several.
"""

from typing import TYPE_CHECKING

from s2s2.core.lazy import exported

if TYPE_CHECKING:
    from s2s2.generators.base import Generator as Generator, Restyler as Restyler
    from s2s2.generators.catalogue import (
        GeneratorInfo as GeneratorInfo,
        choice_of_generators as choice_of_generators,
        describe_generators as describe_generators,
    )
    from s2s2.generators.compose import Chain as Chain, Mixture as Mixture
    from s2s2.generators.controlnet.config import ControlNetConfig as ControlNetConfig
    from s2s2.generators.controlnet.generator import ControlNet as ControlNet
    from s2s2.generators.diffusion.config import DiffusionConfig as DiffusionConfig
    from s2s2.generators.diffusion.generator import Diffusion as Diffusion
    from s2s2.generators.folder import Folder as Folder, FolderConfig as FolderConfig
    from s2s2.generators.learning import (
        Cost as Cost,
        Judge as Judge,
        LearningGenerator as LearningGenerator,
    )
    from s2s2.generators.registry import build_generator as build_generator
    from s2s2.generators.training_free.appearance import (
        Appearance as Appearance,
        AppearanceConfig as AppearanceConfig,
    )
    from s2s2.generators.training_free.boxes import Boxes as Boxes, BoxesConfig as BoxesConfig
    from s2s2.generators.training_free.composite import (
        Composite as Composite,
        CompositeConfig as CompositeConfig,
    )
    from s2s2.generators.training_free.randconv import RandConv as RandConv, RandConvConfig as RandConvConfig
else:
    __getattr__, __dir__ = exported(__name__)
