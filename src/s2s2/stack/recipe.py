"""What a stack is made by, kept in its manifest: two recipes never mix in one folder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s2s2.core.software import versions
from s2s2.core.storage import read_json, write_json
from s2s2.data.dataset import Dataset
from s2s2.data.split import Split
from s2s2.errors import StackError
from s2s2.stack.provenance import parts_of
from s2s2.stack.store import Stack, listed, manifest_path

if TYPE_CHECKING:
    from s2s2.generators.protocol import Generator

_FIELDS = ("generator", "seed", "size", "channels", "bits", "source")


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
    """Refuse to mix the copies of two recipes in one folder."""
    if existing is None:
        return
    for field in _FIELDS:
        if field in recipe and existing.manifest[field] != recipe[field]:
            raise StackError(
                f"{existing.path} holds a stack with {field} {_short(existing.manifest[field])}, "
                f"asked for {_short(recipe[field])}. Choose another folder, or remove this one."
            )


def check_source(name: str, source: list[str], split: Split) -> None:
    """Refuse a generator that has seen another case than those of training."""
    others = sorted(set(source) - set(split.train))
    if others:
        raise StackError(
            f"Generator {name!r} was fitted on {len(others)} cases that are not training cases: "
            f"{listed(others)}. Fit it on this split: what it saw must not be validated or tested on."
        )


def check_weights(folder: Path, before: str, now: str) -> None:
    """Refuse to mix the copies of two tunings in one folder."""
    if before != now:
        raise StackError(
            f"{folder} holds copies made with the weights {before or 'of nothing tuned'}, the generator has "
            f"{now or 'none'} now: it was tuned again. Choose another folder, or remove this one."
        )


def write_manifest(
    folder: Path, recipe: Mapping[str, Any], digests: Mapping[str, str], generator: Generator, depth: int
) -> None:
    """Write the manifest, unless it says all this already."""
    path = manifest_path(folder)
    existing = read_json(path, error=StackError) if path.exists() else {}
    software = versions("numpy", "torch", "tifffile", "imagecodecs", "zstandard")
    cases = {case_id: {"mask": digest} for case_id, digest in digests.items()}
    content = {**recipe, "depth": depth, "parts": parts_of(generator, depth), "cases": cases}
    if any(existing.get(name) != value for name, value in content.items()):
        write_json(path, {**content, "software": software})


def fingerprint_of(recipe: Mapping[str, Any], weights: str) -> str:
    """Return what tells the files of this recipe from those of others."""
    known = {**recipe, **({"weights": weights} if weights else {})}
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()[:16]


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 160 else text[:157] + "..."
