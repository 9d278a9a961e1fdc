"""Generators by name, by chain, by import path."""

from __future__ import annotations

import ast
import difflib
import importlib
import re
from collections.abc import Callable, Mapping
from typing import Any

from s2s2.errors import ConfigError
from s2s2.generators.appearance import Appearance, AppearanceConfig
from s2s2.generators.boxes import Boxes, BoxesConfig
from s2s2.generators.chain import Chain
from s2s2.generators.composite import Composite, CompositeConfig
from s2s2.generators.options import from_json
from s2s2.generators.protocol import Generator

DEFAULT_GENERATOR = "composite+appearance+boxes"
"""What a stack is made with when nothing else is asked for."""
OVERLAID: dict[str, dict[str, Any]] = {"appearance": {"extrapolate": 0.5}}
"""Options of a part that is laid over another one, unless they are given: a composite's
surroundings have a donor's look already, so the look that comes on top goes beyond."""

_BUILDERS: dict[str, tuple[Callable[[Mapping[str, Any]], Generator], str]] = {
    "appearance": (
        lambda values: Appearance(from_json(AppearanceConfig, "appearance", values)),
        "the case keeps its geometry and takes the colours, contrast and texture of another patient",
    ),
    "composite": (
        lambda values: Composite(from_json(CompositeConfig, "composite", values)),
        "the labelled region of the case in the surroundings of another patient",
    ),
    "boxes": (
        lambda values: Boxes(from_json(BoxesConfig, "boxes", values)),
        "flat rectangles outside the mask, as text and device overlays are",
    ),
}


def describe_generators() -> dict[str, str]:
    """Return the name of every built-in generator with one sentence on it."""
    return {name: sentence for name, (_, sentence) in _BUILDERS.items()}


def build_generator(spec: str | Mapping[str, Any]) -> Generator:
    """Return the generator that a specification names, not yet fitted.

    Args:
        spec: A name (`"composite"`), a name with options
            (`"appearance(extrapolate=0.5)"`), an import path
            (`"package.module:Class"`), any of these joined by `+`, or a mapping
            with `name` and `init_args` as `Generator.name` and
            `Generator.config()` return them. After a `+`, `appearance` extrapolates
            by 0.5 unless told otherwise.

    Raises:
        ConfigError: If nothing has this name, an option does not exist or has a
            value of another kind, or an import path leads to no generator.

    Example:
        >>> generator = build_generator("composite+appearance+boxes(most=2)")
        >>> generator.name
        'composite+appearance+boxes'
        >>> again = build_generator({"name": generator.name, "init_args": generator.config()})
        >>> again.config() == generator.config()
        True
    """
    if isinstance(spec, str):
        parsed = [_parse(part) for part in re.split(r"\+(?![^(]*\))", spec)]
        first, *rest = parsed
        over = [_build(name, {**OVERLAID.get(name, {}), **values}) for name, values in rest]
        return Chain([_build(*first), *over]) if over else _build(*first)
    unknown = set(spec) - {"name", "init_args"}
    if "name" not in spec or unknown:
        raise ConfigError(
            f"generator: a mapping must have the keys 'name' and, if need be, 'init_args', got {list(spec)}."
        )
    values = spec.get("init_args") or {}
    if "parts" in values:
        return Chain([build_generator(part) for part in values["parts"]])
    return _build(str(spec["name"]), values)


def _parse(text: str) -> tuple[str, dict[str, Any]]:
    """Return the name and the options of `name` or `name(option=value, ..)`."""
    try:
        tree = ast.parse(text.strip().replace(":", "."), mode="eval").body
        call = tree if isinstance(tree, ast.Call) else ast.Call(tree, [], [])
        if call.args or not isinstance(call.func, (ast.Name, ast.Attribute)):
            raise ValueError
        values = {str(word.arg): ast.literal_eval(word.value) for word in call.keywords if word.arg}
    except (SyntaxError, ValueError):
        raise ConfigError(
            f"generator: {text!r} is neither a name nor a name with options. Write it as 'composite' or "
            f"'appearance(extrapolate=0.5)', joined by '+'. Names: {', '.join(_BUILDERS)}."
        ) from None
    return text.strip().split("(")[0].strip(), values


def _build(name: str, values: Mapping[str, Any]) -> Generator:
    if name in _BUILDERS:
        return _BUILDERS[name][0](values)
    if ":" in name:
        return _import(name, values)
    near = difflib.get_close_matches(name, _BUILDERS, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise ConfigError(
        f"generator: there is no {name!r}.{hint} Names: {', '.join(_BUILDERS)}; of your own, give the import "
        "path 'package.module:Class'."
    )


def _import(path: str, values: Mapping[str, Any]) -> Generator:
    module, _, attribute = path.partition(":")
    try:
        kind = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"generator: {path!r} cannot be imported: {error}.") from error
    try:
        generator = kind(**values)
    except TypeError as error:
        raise ConfigError(f"generator: {path!r} cannot be made of {dict(values)}: {error}.") from error
    if not isinstance(generator, Generator):
        raise ConfigError(
            f"generator: {path!r} is no generator; it must have name, case_ids, fit, sample and config "
            "as s2s2.generators.Generator has."
        )
    return generator
