"""The TensorBoard log of a training: derived from its history, and made again where it was altered."""

from __future__ import annotations

import shutil
from pathlib import Path

from lightning.pytorch.loggers import TensorBoardLogger

from s2s2.core.engine.callbacks import finite_metrics
from s2s2.core.records import Record, file_identity
from s2s2.core.storage import claimed, storage_errors, whole_files
from s2s2.core.tables import read_frame
from s2s2.core.workers import is_first
from s2s2.errors import TrainingError

_FOLDER = "tensorboard"
_RECORD = "written.json"


def training_log(output: Path) -> TensorBoardLogger:
    """Return the log of a training in a folder, for TensorBoard to show while it learns."""
    return TensorBoardLogger(str(output), name=_FOLDER, version="")


def keep_log(history: Path, *, made: bool) -> None:
    """Record the log of a finished training, or write it again from the history where it is not whole.

    Args:
        history: The table of the training, one row a validation, which holds all that the log does.
        made: Whether the training was finished in this call, so that its log is as it left it.

    Raises:
        TrainingError: If the history cannot be read.
        StorageError: If the log cannot be written, or another process works in the folder.
    """
    folder = history.parent / _FOLDER
    inputs = {"history": file_identity(history)}
    record = Record(folder / _RECORD, inputs, error=TrainingError)
    # Of several processes that learn together the first writes.
    if record.holds() or not is_first():
        return
    with storage_errors(folder), claimed(history.parent):
        if not made:
            _write_again(record, history)
        record.finish(outputs=[path for path in whole_files(folder) if path != record.path])


def _write_again(record: Record, history: Path) -> None:
    if record.path.exists():
        record.forget()
    shutil.rmtree(record.path.parent, ignore_errors=True)
    log = training_log(history.parent)
    advice = f"Delete the folder {history.parent} to train again."
    for _, row in read_frame(history, (), error=TrainingError, advice=advice).iterrows():
        log.log_metrics(finite_metrics(dict(row)), step=int(row["step"]))
    log.finalize("success")
