"""Class maps: the classes of a data set, and the pixel values of mask files that mean them.

A class map is data, not code: it is inferred from the masks or given by the user,
shown by the check, and saved beside the network that was trained with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from s2s2.core.storage import read_json, write_json
from s2s2.core.types import Floats, LabelMap, RawPixels
from s2s2.data.files import in_threads
from s2s2.data.nnunet.description import Description
from s2s2.data.reading.mask_sets import infer_reading
from s2s2.data.reading.mask_values import (
    Levels,
    Value,
    code_of,
    looks_soft,
    packed,
    parse_values,
    plain,
    read_levels,
    text_of,
    texts_of,
    value_from_json,
)
from s2s2.data.reading.reader import Palettes, is_grey
from s2s2.errors import DataError

# Okabe and Ito's colours, which colour-blind people can distinguish; black is the background.
_COLOURS = (
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (0, 114, 178),
    (213, 94, 0),
    (204, 121, 167),
)
_UNKNOWN = 255
_MOST_VALUES = 65536
_FILE = "classes.json"
_INFERRED_FROM = 2000  # of more masks only some are read to infer a class map; the check reads all


@dataclass(frozen=True)
class ClassMap:
    """The classes of a data set and the file values that mean each of them.

    Args:
        names: Name of each class; the index is the class id and 0 the background.
        values: For each class its values in mask files: grey levels (0..65535) or
            colours (r, g, b) in 0..255. A grey colour is the same as its level.
        soft: Whether grey levels between 0 and 255 are edges that were blurred or
            compressed, to be cut at one half (two classes only).
        palettes: What counts in mask files with a palette: "indices", or "colours". Default:
            the colours where a class has one, else the indices unless a palette is grey.

    Raises:
        DataError: If a class has no value, or two classes share a name or a value.

    Example:
        >>> classes = ClassMap.parse(["background=0", "polyp=1,255"])
        >>> len(classes), classes.names[1]
        (2, 'polyp')
        >>> classes.encode(np.array([[0, 255], [1, 0]], np.uint8)).tolist()
        [[0, 1], [1, 0]]
    """

    names: tuple[str, ...]
    values: tuple[tuple[Value, ...], ...]
    soft: bool = False
    palettes: Palettes | None = None

    def __post_init__(self) -> None:
        if (count := sum(map(len, self.values))) > _MOST_VALUES:
            raise DataError(
                f"A class map may have {_MOST_VALUES} values in all, got {count}. List only the values that "
                "masks hold."
            )
        object.__setattr__(self, "values", tuple(tuple(map(plain, values)) for values in self.values))
        flat = [value for values in self.values for value in values]
        if not 2 <= len(self.names) <= _UNKNOWN or len(self.names) != len(self.values):
            raise DataError(
                f"A class map needs a background and at least one class (at most {_UNKNOWN - 1}), "
                f"each with its values, got names {self.names} and values {self.values}."
            )
        if len(set(self.names)) != len(self.names) or len(set(flat)) != len(flat) or not all(self.values):
            raise DataError(
                f"Every class of a class map needs its own name and its own values, got {self}. "
                "Remove duplicates, and give a value where there is none."
            )
        if self.palettes is None and any(isinstance(value, tuple) for value in flat):
            object.__setattr__(self, "palettes", "colours")
        if self.soft and len(self.names) != 2:
            raise DataError(f"Only a class map of two classes can be soft, got {len(self.names)} classes.")

    def __len__(self) -> int:
        return len(self.names)

    def __str__(self) -> str:
        parts = (f"{name}={texts_of(self.values[i])}" for i, name in enumerate(self.names))
        return " ".join(parts) + (" (soft edges, cut at one half)" if self.soft else "")

    @property
    def colours(self) -> tuple[tuple[int, int, int], ...]:
        """A fixed colour for each class, (r, g, b) in 0..255, black for the background."""
        rounds = ((index % len(_COLOURS), 0.75 ** (index // len(_COLOURS))) for index in range(len(self) - 1))
        shades = [tuple(round(part * dim) for part in _COLOURS[colour]) for colour, dim in rounds]
        return ((0, 0, 0), *((r, g, b) for r, g, b in shades))

    @classmethod
    def parse(cls, entries: Iterable[str]) -> ClassMap:
        """Build a class map from texts such as ``polyp=1,255`` or ``tool=#ff0000``.

        Args:
            entries: One text a class, in the order of the class ids: a name, an equals
                sign, and values apart by commas: grey levels, ranges of them as 128-255,
                or colours as #rrggbb.

        Raises:
            DataError: If a text cannot be read or the classes are not distinct.
        """
        names, values = [], []
        for entry in entries:
            name, _, text = entry.partition("=")
            names.append(name.strip())
            parts = (parse_values(part.strip(), entry) for part in text.split(","))
            values.append(tuple(value for part in parts for value in part))
            if not names[-1]:
                raise DataError(
                    f"A class is given as name=value, got {entry!r}. Put a name before the equals sign."
                )
        return cls(tuple(names), tuple(values))

    @classmethod
    def infer(cls, mask_paths: Sequence[Path]) -> ClassMap:
        """Infer the class map of these mask files; of very many, evenly spaced ones are read.

        One grey level besides 0 makes two classes, and then 1 and 255 both mean the
        foreground. Blurred edges make two classes and a soft map; of masks saved as JPEG
        each level takes what lies nearest. Anything else makes one class a value.

        Raises:
            DataError: If a file cannot be read, the values cannot be classes, or files
                are to be read in different ways.
        """
        step = max(1, -(-len(mask_paths) // _INFERRED_FROM))
        return cls.from_levels(list(in_threads(read_levels, mask_paths[::step])))

    @classmethod
    def from_levels(cls, levels: Sequence[Levels]) -> ClassMap:
        """Infer the class map from the counted values of mask files."""
        return cls(*infer_reading(levels))

    @classmethod
    def declared(cls, root: Path) -> ClassMap | None:
        """Read classes.json of a data set's folder, or dataset.json of nnU-Net; None if there is neither.

        Raises:
            DataError: If the file holds no class map.
        """
        if (root / _FILE).is_file():
            return cls.load(root / _FILE)
        described = Description.of(root)
        return None if described is None else cls(*described.classes)

    @classmethod
    def load(cls, path: str | Path) -> ClassMap:
        """Read a class map that `save` wrote.

        Raises:
            DataError: If the file is missing or holds no class map.
        """
        return cls.from_dict(read_json(path), source=str(path))

    def save(self, path: str | Path) -> None:
        """Write the class map as JSON."""
        write_json(path, self.to_dict())

    def to_dict(self) -> dict[str, Any]:
        """Return the class map as plain lists and mappings."""
        classes = [
            {"name": name, "values": [list(value) if isinstance(value, tuple) else value for value in values]}
            for name, values in zip(self.names, self.values, strict=True)
        ]
        return {
            "classes": classes,
            "soft": self.soft,
            **({"palettes": self.palettes} if self.palettes else {}),
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any], *, source: str = "class map") -> ClassMap:
        """Build a class map from what `to_dict` gave.

        Raises:
            DataError: If the content is not a class map.
        """
        try:
            names = tuple(str(entry["name"]) for entry in content["classes"])
            values = tuple(
                tuple(value_from_json(value) for value in entry["values"]) for entry in content["classes"]
            )
            if (palettes := content.get("palettes")) not in (None, "indices", "colours"):
                raise ValueError(f"palettes is {palettes!r}")
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise DataError(
                f"{source} holds no class map ({error!r}). Expected "
                '{"classes": [{"name": "background", "values": [0]}, {"name": "polyp", "values": [255]}]}.'
            ) from error
        return cls(names, values, bool(content.get("soft", False)), palettes)

    def encode(self, raw: RawPixels, *, source: str | Path = "mask") -> LabelMap:
        """Turn the values of a mask file into class ids.

        Args:
            raw: Grey levels of shape (height, width), or colours (height, width, 3).
            source: Name of the file, for the error.

        Returns:
            Class ids of shape (height, width).

        Raises:
            DataError: If values are in no class: names file, values and pixels.
        """
        if raw.ndim == 3 and is_grey(raw):
            raw = raw[..., 0]
        codes = raw if raw.ndim == 2 else packed(raw)
        ids = self._lookup(codes, colour=raw.ndim == 3)
        # In a soft map 1 is the foreground of masks of ones; beside 255 it is an edge.
        edges = self.soft and raw.ndim == 2 and bool((raw == 1).any() and (raw == 255).any())
        if not edges and not (ids == _UNKNOWN).any():
            return ids
        levels = Levels.count(raw)
        if self._is_soft(levels):
            return (codes >= 128).astype(np.uint8)
        raise DataError(self.unknown_message(levels, source))

    def unknown_message(self, levels: Levels, source: str | Path) -> str:
        """Say which values of a mask file are in no class."""
        known = {value for values in self.values for value in values}
        strange = {value: count for value, count in levels.counts.items() if value not in known}
        few = ", ".join(f"{text_of(value)} ({count} px)" for value, count in list(strange.items())[:6])
        return (
            f"{source} holds {len(strange)} unknown value{'s' * (len(strange) > 1)}: "
            f"{few}{', ...' if len(strange) > 6 else ''}. "
            f"Expected the class map {self}. Fix the mask, or give a class map that names these values."
        )

    def share(self, levels: Levels) -> Floats | None:
        """Return the share of pixels of each class, or None if a value is unknown."""
        shares = np.zeros(len(self))
        where = {value: index for index, values in enumerate(self.values) for value in values}
        edges = self.soft and {1, 255} <= levels.counts.keys()
        soft = (edges or not levels.counts.keys() <= where.keys()) and self._is_soft(levels)
        for value, count in levels.counts.items():
            index = int(isinstance(value, int) and value >= 128) if soft else where.get(value)
            if index is None:
                return None
            shares[index] += count
        shares /= shares.sum()
        return shares

    def _lookup(self, codes: RawPixels, *, colour: bool) -> LabelMap:
        pairs = sorted((code_of(value, colour), n) for n, group in enumerate(self.values) for value in group)
        keys = np.array([key for key, _ in pairs])
        if not colour:
            length = 1 << 8 if codes.dtype == np.uint8 else 1 << 16
            table = np.full(length, _UNKNOWN, np.uint8)
            fits = (keys >= 0) & (keys < length)
            table[keys[fits]] = np.array([index for _, index in pairs], np.uint8)[fits]
            ids: LabelMap = table[codes]
            return ids
        nearest = np.searchsorted(keys, codes).clip(0, len(keys) - 1)
        found: LabelMap = np.array([index for _, index in pairs], np.uint8)[nearest]
        found[keys[nearest] != codes] = _UNKNOWN
        return found

    def _is_soft(self, levels: Levels) -> bool:
        """Whether unknown levels of this file are edges rather than labels."""
        if len(self) != 2 or 0 not in self.values[0] or not levels.grey:
            return False
        # A file whose levels are all small holds label ids, never the edges of something white.
        return looks_soft(levels) or (self.soft and any(isinstance(v, int) and v > 16 for v in levels.counts))


def read_class_map(classes: Sequence[str] | None) -> ClassMap | None:
    """Read a class map from `name=value` pairs or from one JSON file; None stays None."""
    if classes is not None and len(classes) == 1 and classes[0].endswith(".json"):
        return ClassMap.load(Path(classes[0]))
    return None if classes is None else ClassMap.parse(list(classes))
