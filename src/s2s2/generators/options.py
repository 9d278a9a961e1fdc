"""Options of a generator, to JSON and back, checked."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import Field, asdict, fields
from typing import TYPE_CHECKING, Any, TypeVar

from s2s2.errors import ConfigError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    Config = TypeVar("Config", bound=DataclassInstance)


def to_json(config: DataclassInstance) -> dict[str, Any]:
    """Return the fields of a configuration as JSON knows them: ranges are lists."""
    values = asdict(config).items()
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values}


def from_json(kind: type[Config], name: str, values: Mapping[str, Any]) -> Config:
    """Return the configuration with these values, the others at their defaults.

    Args:
        kind: The configuration's dataclass.
        name: Name of the generator, for messages.
        values: Value of each option given.

    Raises:
        ConfigError: If there is no such option, or its value is of another kind.

    Example:
        >>> from s2s2.generators import BoxesConfig
        >>> from_json(BoxesConfig, "boxes", {"side": [0.1, 0.2]})
        BoxesConfig(most=3, side=(0.1, 0.2))
    """
    known = {field.name: field for field in fields(kind)}
    given = {}
    for option, value in values.items():
        if option not in known:
            near = difflib.get_close_matches(option, known, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise ConfigError(f"{name}: there is no option {option!r}.{hint} Options: {', '.join(known)}.")
        given[option] = _checked(name, known[option], value)
    return kind(**given)


def _checked(name: str, field: Field[Any], value: Any) -> Any:
    """Return the value as the field's default is: a switch, a number or a range."""
    default = field.default
    if isinstance(default, tuple):
        if isinstance(value, (list, tuple)) and len(value) == len(default) and all(map(_is_number, value)):
            return tuple(float(number) for number in value)
        wanted = f"a range of {len(default)} numbers"
    elif isinstance(default, bool):
        if isinstance(value, bool):
            return value
        wanted = "true or false"
    elif isinstance(default, int):
        if _is_number(value) and value == int(value):
            return int(value)
        wanted = "a whole number"
    else:
        if _is_number(value):
            return float(value)
        wanted = "a number"
    raise ConfigError(f"{name}: option {field.name!r} must be {wanted}, such as {default}, got {value!r}.")


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
