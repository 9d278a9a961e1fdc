"""Record of a finished stack, built.json: which bytes its manifest and the files of its copies hold."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from s2s2.core.records import Record
from s2s2.core.storage import storage_errors
from s2s2.errors import StackError, listed
from s2s2.stack.store import BUILT, case_path, manifest_path

_ADVICE = "Choose another folder, or remove this one."


def built_record(folder: Path, recipe: Mapping[str, Any]) -> Record:
    """Return the record of a stack of this recipe."""
    return Record(folder / BUILT, recipe, error=StackError)


def note_built(record: Record, ids: Iterable[str]) -> None:
    """Record that a stack is whole, unless it says so already."""
    folder = record.path.parent
    if not record.holds():
        record.finish(outputs=[manifest_path(folder), *(case_path(folder, case_id) for case_id in ids)])


def remove_altered(record: Record) -> None:
    """Remove what was altered since the stack was finished, so that it is made again, and say so in one line.

    Raises:
        StackError: If the manifest was altered, and the stack is of another recipe.
    """
    if record.is_unreadable:
        record.forget()
    altered = record.altered()
    if not altered:
        return
    manifest = manifest_path(record.path.parent)
    if manifest in altered and manifest.exists():
        record.require(_ADVICE)  # it can no longer say of which recipe the stack is
    logging.getLogger("s2s2").warning(
        f"s2s2: {listed([f'{path} {words}' for path, words in altered.items()], '; ')}. It is made again."
    )
    with storage_errors(record.path.parent):
        record.path.unlink()
        for path in altered:
            path.unlink(missing_ok=True)
