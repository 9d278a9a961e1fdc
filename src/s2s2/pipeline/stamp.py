"""Knows whether a stage must run again: other inputs, or outputs that are not whole."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from s2s2.core.storage import write_json
from s2s2.data.dataset import Dataset


class Stamp:
    """The record of a finished stage.

    Args:
        path: JSON file of the record; its folder is the root of the outputs.
        inputs: All that the outputs depend on, as JSON values.
    """

    def __init__(self, path: Path, inputs: dict[str, Any]) -> None:
        self.path = path
        text = json.dumps(inputs, sort_keys=True, default=str)
        self.digest = hashlib.sha256(text.encode()).hexdigest()[:16]

    def holds(self) -> bool:
        """Whether the stage was done with these inputs and its files are as it left them."""
        try:
            record = json.loads(self.path.read_text())
        except (OSError, json.JSONDecodeError):
            return False
        if record.get("inputs") != self.digest:
            return False
        return all(_size(self.path.parent / name) == size for name, size in record["outputs"].items())

    def write(self, outputs: Iterable[Path]) -> None:
        """Record the stage as done, with the size of each output in bytes."""
        sizes = {str(path.relative_to(self.path.parent)): _size(path) for path in sorted(outputs)}
        write_json(self.path, {"format": 1, "inputs": self.digest, "outputs": sizes})


def listing_digest(dataset: Dataset) -> str:
    """Name the state of a data set's files by their ids, sizes and times, without reading them."""
    rows = []
    for case in dataset:
        for path in (case.image_path, case.mask_path):
            if path is not None:
                status = path.stat()
                rows.append((case.id, case.group, case.domain, status.st_size, status.st_mtime_ns))
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:16]


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else -1
