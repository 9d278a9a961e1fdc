"""Descriptions of public data sets, read from the YAML files of this package."""

from __future__ import annotations

import difflib
import json
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Literal

import yaml

from s2s2.core.shapes import read_shape
from s2s2.data.catalogue.pattern import Pattern
from s2s2.data.classes import ClassMap
from s2s2.data.volumes.arrays import IMAGE, LABEL
from s2s2.data.volumes.formats import volume_suffix
from s2s2.errors import ConfigError

_STRICT = {"extra": "forbid"}
"""A name that a description does not know is a mistake, not something to skip."""


@dataclass(frozen=True)
class Ranges:
    """A part of a path that follows from a number: frames 1 to 25 are sequence 1, and so on.

    Args:
        of: The part that holds the number.
        starts: First number of each range, in ascending order; the ranges are counted from 1.
    """

    __pydantic_config__ = _STRICT

    of: str
    starts: tuple[int, ...]

    def range_of(self, number: str) -> str:
        """Return the range that a number lies in, counted from 1.

        Example:
            >>> Ranges("frame", (1, 26, 51)).range_of("26")
            '2'
        """
        return str(bisect_right(self.starts, int(number)))


@dataclass(frozen=True)
class Files:
    """Where images and masks lie, and what their paths tell.

    Args:
        image: Pattern of the images' paths, relative to the folder of the data set; see `Pattern`.
        mask: Pattern of the path of an image's mask.
        example: Parts of the path of one case, for the layout that people are shown.
        case: The case id: a text with parts of the paths in brackets.
        group: The group, in the same way; without it, each case is its own.
        domain: The domain, in the same way; without it, the name of the data set.
        ranges: Parts that follow from others.
        kind: What an image is: a flat image, a volume, a slice as an array, or a folder with a DICOM series.
        masks: What a mask is: a file, a folder of one file an object (of a series: a slice), or polygons
            in XML.
        arrays: In files of several arrays, the names of the arrays of image and mask.
        unlabelled: Whether images without a mask belong to the data set; they are then left out.
    """

    __pydantic_config__ = _STRICT

    image: str
    mask: str
    example: dict[str, str]
    case: str
    group: str | None = None
    domain: str | None = None
    ranges: dict[str, Ranges] = field(default_factory=dict)
    kind: Literal["image", "volume", "slice", "series"] = "image"
    masks: Literal["file", "folder", "polygons"] = "file"
    arrays: dict[Literal["image", "mask"], str] = field(default_factory=dict)
    unlabelled: bool = False

    @property
    def is_read(self) -> bool:
        """Whether image and mask are a file each, or a series and its slices, of a format that is read."""
        known = self.kind in ("image", "series") or bool(volume_suffix(self.image))
        named = self.arrays in ({}, {"image": IMAGE, "mask": LABEL})
        return known and self.masks == ("folder" if self.kind == "series" else "file") and named

    def complete(self, parts: Mapping[str, str]) -> dict[str, str]:
        """Return the parts of a path together with those that follow from them."""
        return {**parts, **{name: each.range_of(parts[each.of]) for name, each in self.ranges.items()}}

    def named(self, text: str | None, parts: Mapping[str, str], default: str) -> str:
        """Return a case id, group or domain with the parts of a path put in."""
        return default if text is None else Pattern(text).fill(parts)


@dataclass(frozen=True)
class DatasetInfo:
    """What is known of a public data set.

    Args:
        name: By which `--dataset` calls it; the name of its file.
        title: As its authors call it.
        what: What is in it, one or two sentences.
        modality: How the images were taken.
        cases: How many there are, of what size.
        licence: What its page says of its use.
        page: Where people get it.
        citation: What to cite.
        classes: Name of each class with its values in the masks, as `ClassMap.parse` reads them.
        prompt: What the images are, in words that a caption would use; by domain where that differs.
        groups: What must not be split, and how it is known.
        files: Where images and masks lie.
        domains: Sites, scanners or modalities by the name that is used here, with what they are.
        window: Lowest and highest value that is shown, in Hounsfield units; CT only.
        notes: What to know besides.
    """

    __pydantic_config__ = _STRICT

    name: str
    title: str
    what: str
    modality: str
    cases: str
    licence: str
    page: str
    citation: str
    classes: dict[str, str]
    prompt: str | dict[str, str]
    groups: str
    files: tuple[Files, ...]
    domains: dict[str, str] = field(default_factory=dict)
    window: tuple[float, float] | None = None
    notes: tuple[str, ...] = ()

    @property
    def class_map(self) -> ClassMap:
        """The classes and their values in the masks."""
        return ClassMap.parse([f"{name}={values}" for name, values in self.classes.items()])

    @property
    def prompts(self) -> dict[str, str]:
        """The prompt of each domain."""
        return (
            self.prompt
            if isinstance(self.prompt, dict)
            else dict.fromkeys(self.domains or [self.name], self.prompt)
        )

    @property
    def is_read(self) -> bool:
        """Whether `--dataset` reads it as it lies: images or volumes with a mask each.

        If not, it has to be written as images/ and masks/ once.
        """
        return all(each.is_read for each in self.files)

    @property
    def is_flat(self) -> bool:
        """Whether all of it are flat images."""
        return all(each.kind == "image" for each in self.files)

    @property
    def read(self) -> str:
        """Whether it is read, in a few words."""
        return "as it lies" if self.is_read else "after it was written once"

    @property
    def usage(self) -> str:
        """The command that uses it."""
        if self.is_read:
            return f"s2s2 check FOLDER --dataset {self.name}"
        return f"s2s2 datasets {self.name} --data FOLDER --output NEW_FOLDER, then s2s2 check NEW_FOLDER"


def known_datasets() -> tuple[str, ...]:
    """Return the names of the data sets that are described, in alphabetical order."""
    entries = files(__package__).iterdir()
    return tuple(sorted(each.name.removesuffix(".yaml") for each in entries if each.name.endswith(".yaml")))


@cache
def describe_dataset(name: str) -> DatasetInfo:
    """Return the description of a data set.

    Raises:
        ConfigError: If none has this name; similar names are said.
    """
    if name not in known_datasets():
        near = difflib.get_close_matches(name, known_datasets(), 3, 0.5)
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        raise ConfigError(
            f"s2s2 knows no data set called {name!r}.{hint} `s2s2 datasets` lists those that it knows; data "
            "of your own need no --dataset."
        )
    file = files(__package__) / f"{name}.yaml"
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    return read_shape(json.dumps({"name": name, **content}), DatasetInfo, str(file), ConfigError)
