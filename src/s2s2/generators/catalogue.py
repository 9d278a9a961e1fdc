"""Catalogue of the built-in generators: what each is, needs and gives; the help is made of it."""

from __future__ import annotations

import importlib
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from s2s2.generators.base import Generator


@dataclass(frozen=True, slots=True)
class GeneratorInfo:
    """All that is known of a built-in generator before it is built.

    Args:
        home: Module that it is imported from, when it is built.
        kind: Its class there; the class of its options has `Config` behind the name.
        summary: What a copy is, one sentence.
        needs: What must be there.
        gives: What comes out.
        when: When to take it.
        learns: Whether it has to be tuned.
    """

    home: str
    kind: str
    summary: str
    needs: str
    gives: str
    when: str
    learns: bool = False

    def __str__(self) -> str:
        return self.summary

    def build(self, name: str, values: Mapping[str, Any]) -> Generator:
        """Return the generator with these options.

        Raises:
            ConfigError: If there is no such option, or its value is of another kind.
        """
        from s2s2.generators.options import from_json

        module = importlib.import_module(f"s2s2.generators.{self.home}")
        config = from_json(getattr(module, f"{self.kind}Config"), name, values)
        generator: Generator = getattr(module, self.kind)(config)
        return generator


NAMED: dict[str, GeneratorInfo] = {
    "appearance": GeneratorInfo(
        "training_free.appearance",
        "Appearance",
        "the case keeps its geometry and takes the colours, contrast and texture of another patient",
        needs="nothing but the cases; no training, no GPU",
        gives="exact masks, the real geometry, new styles",
        when="half of the default; alone where all sites look alike; applied to what another one makes",
    ),
    "randconv": GeneratorInfo(
        "training_free.randconv",
        "RandConv",
        "the case keeps its geometry and takes a random style that no scanner has, class by class",
        needs="nothing but the cases; no training, no GPU",
        gives="exact masks, the real geometry, any brightness, contrast, colour and either polarity",
        when="half of the default; alone for another modality or stain; `width=0` where polarity never turns",
    ),
    "composite": GeneratorInfo(
        "training_free.composite",
        "Composite",
        "the labelled region of the case in the surroundings of another patient",
        needs="nothing but the cases, of several patients; no training, no GPU",
        gives="exact masks, real pixels in new surroundings",
        when="objects that may lie in other surroundings, such as polyps and lesions",
    ),
    "boxes": GeneratorInfo(
        "training_free.boxes",
        "Boxes",
        "flat rectangles outside the mask, as text and device overlays are",
        needs="nothing but the cases",
        gives="exact masks, the real image partly covered",
        when="applied to another generator's copies, where other devices write text into the image",
    ),
    "diffusion": GeneratorInfo(
        "diffusion.generator",
        "Diffusion",
        "wholly new images by a diffusion model trained from scratch on the training cases",
        needs="ten minutes to half an hour on a CPU at 64 px, a GPU above; no download",
        gives="new anatomy and styles; masks as well as it has learnt them, so audit the stack",
        when="grey and unusual modalities, machines without the hub, and a hundred cases or more",
        learns=True,
    ),
    "controlnet": GeneratorInfo(
        "controlnet.generator",
        "ControlNet",
        "wholly new images by a ControlNet on Stable Diffusion, the published generator",
        needs="a GPU, a base model (hub id or folder), the extra `controlnet`; `--dry-run` says how long",
        gives="the most natural colour images; masks as well as it has learnt them, so audit the stack",
        when="colour photographs (endoscopy, skin, fundus), where a GPU and a base model are at hand",
        learns=True,
    ),
    "folder": GeneratorInfo(
        "folder",
        "Folder",
        "images made elsewhere, several per mask, read from a folder by file name",
        needs="files such as `made/case_1_0.png`, made without any validation or test case",
        gives="what is there, checked; audit the stack",
        when="a generator of your own has run already",
    ),
}
"""The built-in generators, in the order in which they are described."""


def describe_generators() -> dict[str, GeneratorInfo]:
    """Return the name of every built-in generator and what to know of it; as text, one sentence."""
    return dict(NAMED)


def choice_of_generators(width: int = 100, *, tuned: bool = False) -> str:
    """Return what each built-in generator is, needs and gives, and when to take it.

    Args:
        width: Characters a line.
        tuned: Leave those out that need no tuning.
    """
    lines = ["generators:"]
    for name, info in NAMED.items():
        if tuned and not info.learns:
            continue
        lines.append(f"  {name}: {info.summary}")
        for word, text in (("needs", info.needs), ("gives", info.gives), ("take it", info.when)):
            lines += textwrap.wrap(text, width, initial_indent=f"    {word:<8}", subsequent_indent=" " * 12)
    return "\n".join(lines)
