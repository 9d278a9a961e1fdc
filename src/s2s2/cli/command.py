"""Base class of a command's options, and what the type of an option says of how it is typed."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields
from types import UnionType
from typing import Any, ClassVar, Union, get_args, get_origin

from s2s2.run.apart import require_outputs_apart


@dataclass(frozen=True, kw_only=True)
class Command:
    """What the options of every command have."""

    words: ClassVar[tuple[str, ...]] = ()
    """Fields that may be written without their names, in this order."""

    @classmethod
    def usage(cls, name: str) -> str:
        """Return how the command of this name is called with what it requires."""
        required = (each.name for each in fields(cls) if each.default is each.default_factory is MISSING)
        named = [f"--{each} {each.upper()}" for each in required if each not in cls.words]
        return " ".join(["s2s2", name, *(word.upper() for word in cls.words), *named, "[options]"])

    @classmethod
    def epilog(cls, width: int) -> str:
        """Return what stands below the options in the help, in lines of so many characters."""
        return ""

    def check_paths(self) -> None:
        """Refuse an output that is, holds or lies in an input."""
        require_outputs_apart(self)


def typed(name: str) -> str:
    """Return an option's name as people type it."""
    return name if "." in name else name.replace("_", "-")


def parts_of(kind: Any, *, none: bool = False) -> tuple[Any, ...]:
    """Return the types that an option's value may have.

    Args:
        kind: The type of the option.
        none: Whether that of null is among them.
    """
    parts = get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)
    return tuple(part for part in parts if none or part is not type(None))


def without_none(kind: Any) -> Any:
    """Return the type of an option that may be null; the first where several are left."""
    return parts_of(kind)[0]


def length(kind: Any) -> int | None:
    """Return how many values an option takes; None for one or more."""
    if get_origin(without_none(kind)) is not tuple:
        return 1
    parts = get_args(without_none(kind))
    return None if parts[-1] is Ellipsis else len(parts)
