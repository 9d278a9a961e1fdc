"""Generators from text: the built-in ones by name, any other by import path, and how they are combined."""

from __future__ import annotations

import ast
import difflib
import importlib
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from s2s2.core.trust import require_trusted
from s2s2.errors import ConfigError
from s2s2.generators.base import Generator
from s2s2.generators.catalogue import NAMED
from s2s2.generators.compose import Chain, Mixture

OVERLAID: dict[str, dict[str, Any]] = {"appearance": {"extrapolate": 0.5}}
"""Options of a part that is applied to another one's copies, unless they are given: a composite's
surroundings have a donor's style already, so the style that comes on top goes beyond."""


def build_generator(spec: str | Mapping[str, Any], *, trust: Collection[str] = ()) -> Generator:
    """Return the generator that a specification names, not yet fitted.

    Args:
        spec: A name (`"composite"`), a name with options
            (`"appearance(extrapolate=0.5)"`, `"folder(path='made')"`), an import path
            (`"package.module:Class"`), any of these applied one after the other by `+`,
            any of those mixed by `,` with their shares of the copies behind a colon
            (`"composite+boxes:4,diffusion:12"`, 1 where none is given), or a mapping
            with `name` and `init_args` as `Generator.name` and `Generator.config()`
            return them. After a `+`, `appearance` extrapolates by 0.5 unless
            another value is given. An import path is imported, which runs its code.
        trust: Import paths that a mapping may name: it is what files hold, and they come from anyone.

    Raises:
        ConfigError: If nothing has this name, an option does not exist or has a
            value of another kind, or an import path leads to no generator or is not trusted.

    Example:
        >>> generator = build_generator("composite+appearance+boxes(most=2)")
        >>> generator.name
        'composite+appearance+boxes'
        >>> again = build_generator({"name": generator.name, "init_args": generator.config()})
        >>> again.config() == generator.config()
        True
        >>> build_generator("appearance:3,composite+boxes:1").name
        'appearance:3,composite+boxes:1'
    """
    if isinstance(spec, Mapping):
        return _from_mapping(spec, trust)
    parts = [_shared(part) for part in _cut(spec, ",")]
    if len(parts) == 1:
        return _chain(parts[0][0])
    return Mixture([_chain(text) for text, _ in parts], [share for _, share in parts])


def import_paths(spec: str) -> list[str]:
    """Return the import paths that a specification names; nothing is imported.

    Example:
        >>> import_paths("folder(path='C:made')+boxes:3,mine.made:Echo(noise=0.1):5")
        ['mine.made:Echo']
    """
    parts = [part for text in _cut(spec, ",") for part in _cut(_shared(text)[0], "+")]
    return [name for name in (_parse(part)[0] for part in parts) if ":" in name]


def _from_mapping(spec: Mapping[str, Any], trust: Collection[str]) -> Generator:
    unknown = set(spec) - {"name", "init_args"}
    if "name" not in spec or unknown:
        raise ConfigError(
            f"generator: a mapping must have the keys 'name' and, if need be, 'init_args', got {list(spec)}."
        )
    values = spec.get("init_args") or {}
    if "parts" not in values:
        name = str(spec["name"])
        if name not in NAMED and ":" in name:
            require_trusted(name, trust, "The mapping of a generator")
        return _build(name, values)
    parts = [_from_mapping(part, trust) for part in values["parts"]]
    return Mixture(parts, values["shares"]) if "shares" in values else Chain(parts)


def _chain(text: str) -> Generator:
    first, *rest = map(_parse, _cut(text, "+"))
    over = [_build(name, {**OVERLAID.get(name, {}), **values}) for name, values in rest]
    return Chain([_build(*first), *over]) if over else _build(*first)


def _cut(text: str, separator: str) -> Iterator[str]:
    """Yield what stands between the separators that no bracket and no quote encloses."""
    start, depth, quote = 0, 0, ""
    for position, letter in enumerate(text):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        elif letter == separator and not depth:
            yield text[start:position]
            start = position + 1
        else:
            depth += (letter in "([{") - (letter in ")]}")
    yield text[start:]


def _shared(text: str) -> tuple[str, int]:
    """Return what stands before the share, and the share; an import path has a colon too."""
    found = re.fullmatch(r"(.*):\s*(\d+)\s*", text, flags=re.DOTALL)
    return (found[1], int(found[2])) if found else (text, 1)


def _parse(text: str) -> tuple[str, dict[str, Any]]:
    """Return the name and the options of `name` or `name(option=value, ..)`."""
    name, bracket, options = text.strip().partition("(")
    try:
        tree = ast.parse(name.replace(":", ".") + bracket + options, mode="eval").body
        call = tree if isinstance(tree, ast.Call) else ast.Call(tree, [], [])
        if call.args or not isinstance(call.func, (ast.Name, ast.Attribute)):
            raise ValueError
        values = {str(word.arg): ast.literal_eval(word.value) for word in call.keywords if word.arg}
    except (SyntaxError, ValueError):
        raise ConfigError(
            f"generator: {text!r} is neither a name nor a name with options. Write it as 'composite' or "
            "'appearance(extrapolate=0.5)', texts in quotes, one after the other by '+', mixed by ',' with "
            f"shares such as 'appearance:4,diffusion:12'. Names: {', '.join(NAMED)}."
        ) from None
    return name.strip(), values


def _build(name: str, values: Mapping[str, Any]) -> Generator:
    if name in NAMED:
        return NAMED[name].build(name, values)
    if ":" in name:
        return _import(name, values)
    near = difflib.get_close_matches(name, NAMED, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise ConfigError(
        f"generator: there is no {name!r}.{hint} Names: {', '.join(NAMED)}; of your own, give the import "
        "path 'package.module:Class'."
    )


def _import(path: str, values: Mapping[str, Any]) -> Generator:
    module, _, attribute = path.partition(":")
    try:
        kind = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"generator: {path!r} cannot be imported: {error}.") from error
    if not (isinstance(kind, type) and issubclass(kind, Generator)):
        raise ConfigError(
            f"generator: {path!r} is no generator: it must be a subclass of s2s2.generators.Generator, with "
            "name, case_ids, fit and sample of its own."
        )
    try:
        return kind(**values)
    except TypeError as error:
        raise ConfigError(f"generator: {path!r} cannot be made of {dict(values)}: {error}.") from error
