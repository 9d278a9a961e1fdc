"""The run's settings as the manifest holds them, nested or flat, whole or in part."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar

T = TypeVar("T")


def flattened(content: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested settings with dotted names; what is empty stays as it is.

    Example:
        >>> flattened({"size": 128, "train": {"alpha_enc": 0.4, "geometry": {"flip": 0.5}}})
        {'size': 128, 'train.alpha_enc': 0.4, 'train.geometry.flip': 0.5}
    """
    flat: dict[str, Any] = {}
    for name, value in content.items():
        if isinstance(value, Mapping) and value:
            flat |= flattened(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = value
    return flat


class Settings:
    """Look-up by the last part of a dotted name.

    Args:
        manifest: Of the run; its ``settings`` may be missing.

    Example:
        >>> settings = Settings({"settings": {"train": {"alpha_enc": 0.4}}})
        >>> settings.get("alpha_enc"), settings.get("depth")
        (0.4, None)
    """

    def __init__(self, manifest: Mapping[str, Any]) -> None:
        self.flat = flattened(manifest.get("settings") or {})

    def get(self, name: str) -> Any:
        """Return the setting whose dotted name is or ends in `name`, or None."""
        if name in self.flat:
            return self.flat[name]
        # An audit trains networks of its own; its settings are asked for by their whole name.
        found = (key for key in self.flat if key.endswith(f".{name}") and not key.startswith("audit."))
        return next((self.flat[key] for key in found), None)

    def fill(self, cls: type[T], prefix: str) -> T | None:
        """Build a dataclass of plain fields from the settings below `prefix`, None where there are none."""
        names = [field.name for field in dataclasses.fields(cls)]  # type: ignore[arg-type]
        given = {name: value for name in names if (value := self.get(f"{prefix}.{name}")) is not None}
        if not given:
            return None
        return cls(
            **{name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}
        )
