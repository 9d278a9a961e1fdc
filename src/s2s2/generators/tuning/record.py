"""Record of a tuning, tuned.json: what the weights depend on, and which file holds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from s2s2.core.records import Record, content_digest
from s2s2.data.dataset import Dataset
from s2s2.data.identity import contents
from s2s2.errors import GeneratorError
from s2s2.generators.tuning.config import TuneConfig

RECORD = "tuned.json"
ADVICE = (
    "What a generator has seen must not be validated or tested on. Give the same cases and settings, or "
    "another folder, or delete this one to tune again."
)
"""What to do where a folder holds a tuning of other inputs."""


def tuning_record(folder: Path, about: Mapping[str, Any], config: TuneConfig, train: Dataset) -> Record:
    """Return the record of a folder for the tuning that is wanted.

    Args:
        folder: Where the tuning lies or will lie.
        about: What the weights depend on beside cases and settings, by name.
        config: Settings. The processes that read are left out; they change nothing.
        train: The training cases, which `data` identifies.
    """
    settings = {name: value for name, value in asdict(config).items() if name != "workers"}
    inputs = {**about, "tuning": settings, "data": {"train": train.ids, "files": contents(train)}}
    return Record(folder / RECORD, inputs, error=GeneratorError)


def read_record(folder: Path | None, *, finished: bool = True) -> dict[str, Any] | None:
    """Return what the record of a folder says, or None where there is none.

    Args:
        folder: Where it lies, if that is known.
        finished: Whether one that was not done to its end counts as none.

    Raises:
        GeneratorError: If the record cannot be read.
    """
    if folder is None:
        return None
    content = Record(folder / RECORD, {}, error=GeneratorError).content()
    return content if content and (content.get("finished") or not finished) else None


def is_tuned(folder: Path | None) -> bool:
    """Whether a folder, where it is known, holds a tuning that was done to its end, and all its files."""
    return folder is not None and Record(folder / RECORD, {}, error=GeneratorError).is_finished


def require_whole_tunings(folder: Path) -> None:
    """Refuse finished tunings in a folder and below it whose files are not as they were left.

    Raises:
        GeneratorError: Each file that was altered is named.
    """
    advice = "Restore what was altered, or tune again with `s2s2 tune` into another folder."
    for path in sorted(folder.rglob(RECORD)):
        Record(path, {}, error=GeneratorError).require_whole(advice)


def weights_digest(path: Path) -> str:
    """Return 16 hexadecimal digits of the SHA-256 of a file of weights.

    Raises:
        GeneratorError: If there is no such file.
    """
    try:
        return content_digest(path)[:16]
    except OSError as error:
        raise GeneratorError(
            f"The weights {path} cannot be read ({error.strerror}), though the tuning beside them is "
            "finished. Restore the file, or delete the folder to tune again."
        ) from error


def check_weights(path: Path, record: Mapping[str, Any]) -> None:
    """Refuse a file of weights that is not the one that a tuning kept.

    Raises:
        GeneratorError: If it is missing, corrupt, or from another tuning.
    """
    if weights_digest(path) != record["weights"]:
        raise GeneratorError(
            f"{path} is not the file of weights that {RECORD} beside it names: it is corrupt, or from "
            "another tuning. Restore it, or delete the folder to tune again."
        )
