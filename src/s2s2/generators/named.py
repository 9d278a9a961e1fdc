"""The built-in generators: what each needs, what it gives, when to take it."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from s2s2.generators.options import from_json
from s2s2.generators.protocol import Generator


@dataclass(frozen=True, slots=True)
class GeneratorInfo:
    """What a user should know before choosing a generator.

    Args:
        summary: What a copy is, one sentence.
        needs: What must be there.
        gives: What comes out.
        when: When to take it.
    """

    summary: str
    needs: str
    gives: str
    when: str

    def __str__(self) -> str:
        return self.summary


@dataclass(frozen=True, slots=True)
class Named:
    """Where a generator and its configuration are imported from, when it is built."""

    home: str
    kind: str
    info: GeneratorInfo

    def build(self, name: str, values: Mapping[str, Any]) -> Generator:
        """Return the generator with these options.

        Raises:
            ConfigError: If there is no such option, or its value is of another kind.
        """
        module = importlib.import_module(self.home)
        config = from_json(getattr(module, f"{self.kind}Config"), name, values)
        generator: Generator = getattr(module, self.kind)(config)
        return generator


NAMED: dict[str, Named] = {
    "appearance": Named(
        "s2s2.generators.training_free",
        "Appearance",
        GeneratorInfo(
            "the case keeps its geometry and takes the colours, contrast and texture of another patient",
            needs="nothing but the cases; no training, no GPU",
            gives="exact masks, the real geometry, new looks",
            when="always worth a try; alone, or laid over what another generator makes",
        ),
    ),
    "composite": Named(
        "s2s2.generators.training_free",
        "Composite",
        GeneratorInfo(
            "the labelled region of the case in the surroundings of another patient",
            needs="nothing but the cases, of several patients; no training, no GPU",
            gives="exact masks, real pixels in new surroundings",
            when="the default's base; objects that may lie in other surroundings, such as polyps and lesions",
        ),
    ),
    "boxes": Named(
        "s2s2.generators.training_free",
        "Boxes",
        GeneratorInfo(
            "flat rectangles outside the mask, as text and device overlays are",
            needs="nothing but the cases",
            gives="exact masks, the real image partly covered",
            when="laid over another generator, where other devices write text or overlays into the image",
        ),
    ),
    "diffusion": Named(
        "s2s2.generators.diffusion",
        "Diffusion",
        GeneratorInfo(
            "wholly new images by a diffusion model trained from scratch on the training cases",
            needs="ten minutes to half an hour on a CPU at 64 px, a GPU above; no download",
            gives="new anatomy and looks; masks as well as it has learnt them, so audit the stack",
            when="grey and unusual modalities, machines without the hub, and a hundred cases or more",
        ),
    ),
    "controlnet": Named(
        "s2s2.generators.controlnet",
        "ControlNet",
        GeneratorInfo(
            "wholly new images by a ControlNet on Stable Diffusion, the published generator",
            needs="a GPU, a base model (hub id or folder), the extra `controlnet`; `--dry-run` says how long",
            gives="the most natural colour images; masks as well as it has learnt them, so audit the stack",
            when="colour photographs (endoscopy, skin, fundus), where a GPU and a base model are at hand",
        ),
    ),
    "folder": Named(
        "s2s2.generators.folder",
        "Folder",
        GeneratorInfo(
            "images made elsewhere, several a mask, read from a folder by file name",
            needs="files such as `made/case_1_0.png`, made without any validation or test case",
            gives="what is there, checked; audit the stack",
            when="a generator of your own has run already",
        ),
    ),
}
