"""Options of generators: dataclasses to JSON and back, checked.

The parser is our own and not jsonargparse, which takes "2" for a number and "true" for a
switch, and would cost whoever builds a generator in a script a quarter of a second.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from types import NoneType
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from s2s2.errors import ConfigError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    Config = TypeVar("Config", bound=DataclassInstance)


def to_json(config: DataclassInstance) -> dict[str, Any]:
    """Return all options as JSON knows them: ranges are lists, options of nested dataclasses stand beside."""
    values: dict[str, Any] = {}
    for field in fields(config):
        value = getattr(config, field.name)
        if is_dataclass(value) and not isinstance(value, type):
            values |= to_json(value)
        else:
            values[field.name] = list(value) if isinstance(value, tuple) else value
    return values


def from_json(kind: type[Config], name: str, values: Mapping[str, Any]) -> Config:
    """Return the configuration with these values, the others at their defaults.

    Args:
        kind: The configuration's dataclass. Its fields are switches, numbers, texts,
            choices (`Literal`), tuples of these, any of them or None, or dataclasses of
            such fields. No two fields share a name.
        name: Name of the generator, for messages.
        values: Value of each option given. An option of a nested dataclass is given beside
            the others or in a mapping of its own.

    Raises:
        ConfigError: If there is no such option, its value is of another kind, or one
            without a default is missing.

    Example:
        >>> from s2s2.generators import BoxesConfig
        >>> from_json(BoxesConfig, "boxes", {"side": [0.1, 0.2]})
        BoxesConfig(most=3, side=(0.1, 0.2))
    """
    known, hints = {field.name: field for field in fields(kind)}, get_type_hints(kind)
    given = {}
    for option, value in _sorted_in(hints, name, values).items():
        default = known[option].default
        try:
            given[option] = _typed(hints[option], value, f"{name}: {option}")
        except _UnfitError as unfit:
            plain = default not in (MISSING, None, "") and not is_dataclass(default)
            example = f", such as {default}" if plain else ""
            raise ConfigError(f"{name}: option {option!r} must be {unfit}{example}, got {value!r}.") from None
    for option, field in known.items():
        if option not in given and field.default is MISSING and field.default_factory is MISSING:
            raise ConfigError(f"{name}: give the option {option}, as in {name}({option}=...).")
    return kind(**given)


def _sorted_in(hints: Mapping[str, Any], name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values by field, those of a nested dataclass in a mapping of its own."""
    homes = {
        inner.name: outer for outer, hint in hints.items() if is_dataclass(hint) for inner in fields(hint)
    }
    found = {option: value for option, value in values.items() if option in hints}
    for option, value in values.items():
        if option in hints:
            continue
        if option not in homes:
            options = [*(each for each in hints if each not in homes.values()), *homes]
            near = difflib.get_close_matches(option, options, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise ConfigError(f"{name}: there is no option {option!r}.{hint} Options: {', '.join(options)}.")
        inside = found.get(homes[option], {})
        if isinstance(inside, Mapping):
            found[homes[option]] = {**inside, option: value}
    return found


def check(owner: str, config: DataclassInstance, bounds: Mapping[str, tuple[float, float]]) -> None:
    """Refuse choices that do not exist and numbers beyond their bounds; None is left open.

    Args:
        owner: Whose options these are, for messages.
        config: The options; which choices exist is read from their `Literal` types.
        bounds: Smallest and largest value by the name of the option.

    Raises:
        ConfigError: If a value cannot be used.
    """
    for name, hint in get_type_hints(type(config)).items():
        value = getattr(config, name)
        kinds = [each for each in (hint, *get_args(hint)) if get_origin(each) is Literal]
        choices = [choice for each in kinds for choice in get_args(each)]
        if choices and value is not None and value not in choices:
            raise ConfigError(f"{owner}: {name} must be one of {', '.join(choices)}, got {value!r}.")
        low, high = bounds.get(name, (-math.inf, math.inf))
        if name in bounds and value is not None and not low <= value <= high:
            wanted = f"be at least {low}" if high == math.inf else f"lie in {low} to {high}"
            raise ConfigError(f"{owner}: {name} must {wanted}, got {value}.")


class _UnfitError(Exception):
    """Says what a value should have been."""


def _typed(hint: Any, value: Any, place: str) -> Any:
    """Return the value as the annotation has it."""
    arguments = get_args(hint)
    if get_origin(hint) is Literal:
        if value in arguments:
            return value
        raise _UnfitError(f"one of {', '.join(map(repr, arguments))}")
    if get_origin(hint) is tuple:
        return _row(arguments, value, place)
    if NoneType in arguments:
        return None if value is None else _optional(arguments, value, place)
    if is_dataclass(hint) and isinstance(hint, type):
        if isinstance(value, Mapping):
            return from_json(hint, place, value)
        raise _UnfitError(f"a mapping of options ({', '.join(field.name for field in fields(hint))})")
    return _single(hint, value)


def _row(kinds: tuple[Any, ...], value: Any, place: str) -> tuple[Any, ...]:
    """Return a tuple, of a fixed length or of any."""
    free = len(kinds) == 2 and kinds[1] is Ellipsis
    if isinstance(value, (list, tuple)) and (free or len(value) == len(kinds)):
        try:
            pairs = zip(kinds[:1] * len(value) if free else kinds, value, strict=True)
            return tuple(_typed(kind, each, place) for kind, each in pairs)
        except _UnfitError:
            pass
    raise _UnfitError("a list" if free else f"a range of {len(kinds)} numbers")


def _optional(kinds: tuple[Any, ...], value: Any, place: str) -> Any:
    try:
        return _typed(next(each for each in kinds if each is not NoneType), value, place)
    except _UnfitError as unfit:
        raise _UnfitError(f"{unfit} or None") from None


def _single(kind: Any, value: Any) -> Any:
    """Return a switch, a number or a text."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    wanted, fits = {
        bool: ("true or false", isinstance(value, bool)),
        int: ("a whole number", number and float(value).is_integer()),
        float: ("a number", number),
        str: ("a text in quotes", isinstance(value, str)),
    }[kind]
    if not fits:
        raise _UnfitError(wanted)
    return kind(value)
