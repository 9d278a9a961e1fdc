"""Provenance of a stack: which generator made which copy, and with which weights."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, NotRequired

from annotated_types import Ge
from typing_extensions import TypedDict

if TYPE_CHECKING:
    from s2s2.generators.base import Generator

_RECIPE = ("generator", "seed", "size", "channels", "bits", "weights", "cases")


_Count = Annotated[int, Ge(1)]


class Made(TypedDict):
    """A generator in a manifest."""

    name: str
    config: NotRequired[dict[str, Any]]


class Share(Made):
    """One of the generators that share the copies."""

    traits: list[str]
    copies: list[int]


class Manifest(TypedDict):
    """Shape of a stack's manifest."""

    generator: Made
    seed: int
    depth: _Count
    size: _Count | None
    channels: _Count
    bits: _Count
    source: list[str]
    cases: dict[str, dict[str, str]]
    weights: NotRequired[str]
    parts: NotRequired[list[Share]]


def parts_of(generator: Generator, depth: int) -> list[dict[str, Any]]:
    """Return the generators that share the copies, as a manifest records them.

    Each is a mapping of its name, its config, its traits and the numbers of its copies.
    """
    turns = [generator.part_of(number) for number in range(depth)]
    return [
        {
            "name": part.name,
            "config": json.loads(json.dumps(part.config(), default=str)),
            "traits": sorted(part.traits),
            "copies": [number for number, turn in enumerate(turns) if turn == position],
        }
        for position, part in enumerate(generator.parts)
    ]


def parts_in(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the parts that a manifest records; one, of unknown traits, where it records none."""
    alone = {**manifest["generator"], "traits": [], "copies": list(range(manifest["depth"]))}
    return copy.deepcopy(manifest.get("parts") or [alone])


def recipe_in(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return all that makes a copy what it is by name, whatever the depth."""
    return {name: copy.deepcopy(manifest.get(name, "")) for name in _RECIPE}
