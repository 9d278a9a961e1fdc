"""Which generator made which copy, and with which weights."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from s2s2.generators.protocol import Generator

EXACT = "exact"
"""The trait of a generator whose masks are right by construction: nothing of it is learnt."""

_RECIPE = ("generator", "seed", "size", "channels", "bits", "weights", "cases")


def parts_of(generator: Generator, depth: int) -> list[dict[str, Any]]:
    """Return the generators that share the copies, as a manifest records them.

    Each is a mapping of its name, its config, its traits and the numbers of its copies.
    """
    turn = getattr(generator, "part_of", None)
    parts = getattr(generator, "parts", ()) if turn else (generator,)
    turns = [turn(number) if turn else 0 for number in range(depth)]
    return [
        {
            "name": part.name,
            "config": json.loads(json.dumps(part.config(), default=str)),
            "traits": sorted(getattr(part, "traits", ())),
            "copies": [number for number, position in enumerate(turns) if position == place],
        }
        for place, part in enumerate(parts)
    ]


def parts_in(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the parts that a manifest records; one, of unknown traits, where it records none."""
    alone = {**manifest["generator"], "traits": [], "copies": list(range(manifest["depth"]))}
    return copy.deepcopy(manifest.get("parts") or [alone])


def is_exact(generator: Generator, number: int) -> bool:
    """Return whether this copy is made by a generator of which nothing is learnt."""
    turn = getattr(generator, "part_of", None)
    part: Any = getattr(generator, "parts", ())[turn(number)] if turn else generator
    return EXACT in getattr(part, "traits", ())


def weights_of(generator: Generator) -> str:
    """Return the digest of a generator's weights, "" where it has none or none yet."""
    return str(getattr(generator, "weights", ""))


def recipe_in(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return all that makes a copy what it is by name, whatever the depth."""
    return {name: copy.deepcopy(manifest.get(name, "")) for name in _RECIPE}
