"""Shapes of JSON files: which names a file must hold, and values of which type.

Cards, manifests and records may come from anyone. Each is declared once, as a `TypedDict` or
dataclass beside the code that writes it, and checked by pydantic before anything is taken from
it. Names that a shape does not know are left alone: a later version may have added them.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from s2s2.errors import S2S2Error

if TYPE_CHECKING:
    from pydantic import TypeAdapter

Shape = TypeVar("Shape")


def require_shape(text: str, shape: type | None, path: str | Path, error: type[S2S2Error]) -> None:
    """Refuse JSON whose values are not of the declared types.

    Args:
        text: The JSON.
        shape: A `TypedDict` or dataclass; None takes all. A text of digits is no number, and 1 is not true.
        path: The file, for the message.
        error: Class of the error to raise.

    Raises:
        S2S2Error: Of class `error`; the first value that does not fit is named.

    Example:
        >>> from s2s2.errors import DataError
        >>> require_shape('{"depth": "3"}', dict[str, int], "manifest.json", DataError)
        Traceback (most recent call last):
        ...
        s2s2.errors.DataError: manifest.json: depth is "3": input should be a valid integer. ...
    """
    if shape is not None:
        read_shape(text, shape, path, error)


def read_shape(text: str, shape: type[Shape], path: str | Path, error: type[S2S2Error]) -> Shape:
    """Read JSON as a value of the declared type, such as a dataclass.

    Args:
        text: The JSON.
        shape: A dataclass or `TypedDict`.
        path: The file, for the message.
        error: Class of the error to raise.

    Raises:
        S2S2Error: As `require_shape`.
    """
    from pydantic import ValidationError

    kind: Any = shape
    try:
        value: Shape = _adapter(kind).validate_json(text, strict=True)
    except ValidationError as cause:
        first = cause.errors(include_url=False)[0]
        name = ".".join(map(str, first["loc"])) or "the whole"
        found = json.dumps(first["input"], ensure_ascii=False, default=str)[:80]
        said = first["msg"][0].lower() + first["msg"][1:]
        what = "is missing" if first["type"] == "missing" else f"is {found}: {said}"
        raise error(
            f"{path}: {name} {what}. It is not as s2s2 wrote it: restore the file, or make it again."
        ) from cause
    return value


@cache
def _adapter(shape: Any) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter

    return TypeAdapter(shape)
