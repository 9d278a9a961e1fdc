"""State of an optimisation: all that is needed to go on after a kill, and whether it can be used."""

from __future__ import annotations

import logging
import os
import zipfile
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback

from s2s2.core.limits import limit_error
from s2s2.core.storage import atomic

STATE = "state.ckpt"
"""What is needed to go on; removed when the work is finished."""
BROKEN = ".broken"
"""What is added to the name of a state that cannot be used."""
_INPUTS = "inputs"


class ResumableState(Callback):
    """Keeps all that is needed to go on after a kill, replaced as a whole or not at all.

    Args:
        path: The file.
        inputs: Digest of what the optimisation depends on, which the state carries.
    """

    def __init__(self, path: Path, inputs: str) -> None:
        self.path, self.inputs = path, inputs

    def on_save_checkpoint(
        self, trainer: L.Trainer, pl_module: L.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Name what the state belongs to."""
        checkpoint[_INPUTS] = self.inputs

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Write beside the old state, then replace it."""
        # All processes take part in saving; the first alone writes.
        with atomic(self.path) if trainer.is_global_zero else nullcontext(self.path) as target:
            trainer.save_checkpoint(target)


def usable_state(path: Path, inputs: str, *, aside: bool = True) -> Path | None:
    """Return the state to go on from, None where there is none.

    One that is corrupt, is no state, holds anything but tensors and plain values, or belongs
    to other work is kept under a name that ends in `BROKEN`, and one line is logged. No code of it is run.

    Args:
        path: The file.
        inputs: Digest of what the optimisation depends on.
        aside: Whether this process moves the file; of several that learn together the first does.
    """
    if not path.exists():
        return None
    fault = _fault(path, inputs)
    if fault is None:
        return path
    if aside:
        broken = path.with_name(path.name + BROKEN)
        os.replace(path, broken)
        logging.getLogger("s2s2").warning(
            f"s2s2: {path} cannot be used ({fault}). It is kept as {broken.name}; this work begins again."
        )
    return None


def _fault(path: Path, inputs: str) -> str | None:
    """Say what is wrong with a state, None where nothing is."""
    try:
        # The checksums of the archive, which torch itself does not compare.
        with zipfile.ZipFile(path) as archive:
            if archive.testzip() is not None:
                return "it is corrupt"
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # readers of corrupt files raise errors of any class
        if limit_error(error, path) is not None:
            raise  # the machine is at fault, not the file
        return f"it is corrupt or no state: {type(error).__name__}"
    if not isinstance(content, dict) or content.get(_INPUTS) != inputs:
        return "it is of other inputs or another version"
    return None
