"""What a finished tuning says of itself, and whether it is the one that is wanted."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from s2s2.core.storage import read_json
from s2s2.errors import GeneratorError
from s2s2.generators.tuning.config import TuneConfig

RECORD = "tuned.json"
STATE = "state.ckpt"
Record = Mapping[str, Any]


def read_record(folder: Path | None, *, finished: bool = True) -> Record | None:
    """Return the record of the tuning in a folder, or None where there is none.

    Args:
        folder: Where it lies, if that is known.
        finished: Whether one that was not done to its end counts as none.

    Raises:
        GeneratorError: If the record cannot be read.
    """
    if folder is None or not (folder / RECORD).exists():
        return None
    record = read_json(folder / RECORD, error=GeneratorError)
    return record if record.get("finished") or not finished else None


def fingerprint_of(own: Mapping[str, Any], config: TuneConfig) -> dict[str, Any]:
    """Return all that weights depend on but the cases, by name, as JSON gives it back.

    Args:
        own: What the generator says: its name, size, classes, network.
        config: Of the tuning. The processes that read are left out; they change nothing.
    """
    settings = {f"tuning.{name}": value for name, value in asdict(config).items() if name != "workers"}
    found: dict[str, Any] = json.loads(json.dumps({**own, **settings}))
    return found


def check_record(
    folder: Path, record: Record, *, fingerprint: Mapping[str, Any], cases: Sequence[str]
) -> None:
    """Refuse a tuning that is not the one that is wanted.

    Args:
        folder: Where it lies.
        record: What it says of itself.
        fingerprint: What its weights must depend on, from `fingerprint_of`.
        cases: Ids of the training cases.

    Raises:
        GeneratorError: If it learnt from other cases or with other settings; what differs is named.
    """
    others = sorted(set(record.get("cases", [])) ^ set(cases))
    if others:
        raise GeneratorError(
            f"The generator in {folder} was tuned on {len(record.get('cases', []))} cases and the training "
            f"split has {len(cases)}; they differ in {len(others)}, such as {', '.join(others[:3])}. What a "
            "generator has seen must not be validated or tested on: tune one for this split in another "
            "folder, or delete this one."
        )
    mine = record.get("fingerprint", {})
    differing = [
        f"{name} {mine.get(name)!r:.60} there, {value!r:.60} now"
        for name, value in fingerprint.items()
        if mine.get(name) != value
    ]
    if differing:
        raise GeneratorError(
            f"{folder} holds a tuning with other settings: {'; '.join(differing[:4])}. Nothing was changed. "
            "Give the same settings, or another folder, or delete this one to tune anew."
        )


def weights_digest(path: Path) -> str:
    """Return 16 hexadecimal digits of the SHA-256 of a file of weights.

    Raises:
        GeneratorError: If there is no such file.
    """
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:16]
    except OSError as error:
        raise GeneratorError(
            f"The weights {path} cannot be read ({error.strerror}), though the tuning beside them is "
            "finished. Restore the file, or delete the folder to tune anew."
        ) from error


def check_weights(path: Path, record: Record) -> None:
    """Refuse a file of weights that is not the one that a tuning kept.

    Raises:
        GeneratorError: If it is missing, torn, or from another tuning.
    """
    if weights_digest(path) != record["weights"]:
        raise GeneratorError(
            f"{path} is not the file of weights that {RECORD} beside it names: it is torn, or from another "
            "tuning. Restore it, or delete the folder to tune anew."
        )
