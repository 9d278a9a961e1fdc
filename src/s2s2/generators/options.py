"""Options of a generator, to JSON and back, checked."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import MISSING, asdict, fields, is_dataclass
from types import NoneType
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from s2s2.errors import ConfigError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    Config = TypeVar("Config", bound=DataclassInstance)


def to_json(config: DataclassInstance) -> dict[str, Any]:
    """Return the fields of a configuration as JSON knows them: ranges are lists."""
    return {name: _plain(value) for name, value in asdict(config).items()}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return list(value) if isinstance(value, tuple) else value


def from_json(kind: type[Config], name: str, values: Mapping[str, Any]) -> Config:
    """Return the configuration with these values, the others at their defaults.

    Args:
        kind: The configuration's dataclass. Its fields are switches, numbers, texts,
            choices (`Literal`), tuples of these, any of them or None, or dataclasses of
            such fields.
        name: Name of the generator, for messages.
        values: Value of each option given.

    Raises:
        ConfigError: If there is no such option, its value is of another kind, or one
            without a default is missing.

    Example:
        >>> from s2s2.generators import BoxesConfig
        >>> from_json(BoxesConfig, "boxes", {"side": [0.1, 0.2]})
        BoxesConfig(most=3, side=(0.1, 0.2))
    """
    known = {field.name: field for field in fields(kind)}
    hints = get_type_hints(kind)
    given = {}
    for option, value in values.items():
        if option not in known:
            near = difflib.get_close_matches(option, known, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise ConfigError(f"{name}: there is no option {option!r}.{hint} Options: {', '.join(known)}.")
        default = known[option].default
        try:
            given[option] = _typed(hints[option], value, f"{name}: {option}")
        except _UnfitError as unfit:
            example = "" if default in (MISSING, None, "") else f", such as {default}"
            raise ConfigError(f"{name}: option {option!r} must be {unfit}{example}, got {value!r}.") from None
    missing = [
        option
        for option, field in known.items()
        if option not in given and field.default is MISSING and field.default_factory is MISSING
    ]
    if missing:
        raise ConfigError(f"{name}: give the option {missing[0]}, as in {name}({missing[0]}=...).")
    return kind(**given)


class _UnfitError(Exception):
    """Says what a value should have been."""


def _typed(hint: Any, value: Any, place: str) -> Any:
    """Return the value as the annotation has it."""
    arguments = get_args(hint)
    if get_origin(hint) is Literal:
        return _chosen(arguments, value)
    if get_origin(hint) is tuple:
        return _row(arguments, value, place)
    if NoneType in arguments:
        return _optional([each for each in arguments if each is not NoneType], value, place)
    if is_dataclass(hint) and isinstance(hint, type):
        if isinstance(value, Mapping):
            return from_json(hint, place, value)
        raise _UnfitError(f"a mapping of options ({', '.join(field.name for field in fields(hint))})")
    return _single(hint, value)


def _chosen(choices: tuple[Any, ...], value: Any) -> Any:
    if value in choices:
        return value
    raise _UnfitError(f"one of {', '.join(map(repr, choices))}")


def _row(kinds: tuple[Any, ...], value: Any, place: str) -> tuple[Any, ...]:
    """Return a tuple, of a fixed length or of any."""
    free = len(kinds) == 2 and kinds[1] is Ellipsis
    if isinstance(value, (list, tuple)) and (free or len(value) == len(kinds)):
        try:
            return tuple(
                _typed(kind, each, place)
                for kind, each in zip(kinds[:1] * len(value) if free else kinds, value, strict=True)
            )
        except _UnfitError:
            pass
    raise _UnfitError("a list" if free else f"a range of {len(kinds)} numbers")


def _optional(kinds: list[Any], value: Any, place: str) -> Any:
    if value is None:
        return None
    try:
        return _typed(kinds[0], value, place)
    except _UnfitError as unfit:
        raise _UnfitError(f"{unfit} or None") from None


def _single(kind: Any, value: Any) -> Any:
    """Return a switch, a number or a text."""
    if kind is bool:
        wanted, fits = "true or false", isinstance(value, bool)
    elif kind is int:
        wanted, fits = "a whole number", _is_number(value) and float(value).is_integer()
    elif kind is float:
        wanted, fits = "a number", _is_number(value)
    else:
        wanted, fits = "a text in quotes", isinstance(value, str)
    if not fits:
        raise _UnfitError(wanted)
    return value if kind in (bool, str) else kind(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
