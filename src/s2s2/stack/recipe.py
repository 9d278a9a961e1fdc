"""The recipe of a stack, kept in its manifest: copies of two recipes never mix in one folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s2s2.core.inputs import Inputs
from s2s2.core.software import OPENCV, versions
from s2s2.core.storage import read_json, write_json
from s2s2.data.dataset import Dataset
from s2s2.data.split import Split
from s2s2.errors import StackError, listed
from s2s2.stack.provenance import parts_of
from s2s2.stack.store import Stack, manifest_path

if TYPE_CHECKING:
    from s2s2.generators.base import Generator


def recipe_of(generator: Generator, dataset: Dataset, seed: int, bits: int) -> dict[str, Any]:
    """Return all that the copies depend on but the data, as JSON gives it back."""
    made_by = {"name": generator.name, "config": generator.config()}
    recipe: dict[str, Any] = {
        "generator": json.loads(json.dumps(made_by, default=str)),
        "seed": seed,
        "size": dataset.size,
        "channels": dataset.channels,
        "bits": bits,
    }
    return recipe


def check_recipe(existing: Stack | None, recipe: Mapping[str, Any]) -> None:
    """Refuse to mix the copies of two recipes in one folder; what differs is named."""
    if existing is None:
        return
    manifest = existing.manifest
    if differing := Inputs(recipe).differences({name: manifest.get(name, "") for name in recipe}):
        raise StackError(
            f"{existing.path} holds a stack of another recipe: {listed(differing, '; ')}. "
            "Choose another folder, or remove this one."
        )


def check_source(name: str, source: list[str], split: Split) -> None:
    """Refuse a generator that has seen another case than those of training."""
    others = sorted(set(source) - set(split.train))
    if others:
        raise StackError(
            f"Generator {name!r} was fitted on {len(others)} cases that are not training cases: "
            f"{listed(others)}. Fit it on this split: what it saw must not be validated or tested on."
        )


def write_manifest(
    folder: Path,
    recipe: Mapping[str, Any],
    cases: Mapping[str, Mapping[str, str]],
    generator: Generator,
    depth: int,
) -> None:
    """Write the manifest, unless it says all this already."""
    path = manifest_path(folder)
    existing = read_json(path, error=StackError) if path.exists() else {}
    software = versions("numpy", "torch", OPENCV, "tifffile", "imagecodecs", "zstandard")
    content = {**recipe, "depth": depth, "parts": parts_of(generator, depth), "cases": dict(cases)}
    if any(existing.get(name) != value for name, value in content.items()):
        write_json(path, {**content, "software": software})


def fingerprint_of(recipe: Mapping[str, Any], weights: str) -> str:
    """Return what tells the files of this recipe from those of others; it is part of their bytes."""
    return Inputs({**recipe, **({"weights": weights} if weights else {})}).digest
