"""The Lightning trainer, and work in a folder that is resumed after a kill and done once."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import lightning as L
from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities import rank_zero_only

from s2s2.core.engine.callbacks import ResumableState
from s2s2.core.engine.config import OptimisationConfig
from s2s2.core.engine.precision import precision_of
from s2s2.core.records import Record
from s2s2.core.storage import claimed, storage_errors

STATE = "state.ckpt"
"""What is needed to go on; removed when the work is finished."""


def optimise(
    module: L.LightningModule,
    data: L.LightningDataModule,
    folder: Path,
    config: OptimisationConfig,
    *,
    epochs: int,
    callbacks: Sequence[L.Callback],
    accumulate: int = 1,
    logger: Logger | None = None,
) -> L.Trainer:
    """Fit a module, from the state in the folder where there is one.

    Args:
        module: What learns.
        data: Its batches, asked for again in each epoch.
        folder: Where the state is kept after each epoch.
        config: Settings.
        epochs: Intervals from one validation or check to the next.
        callbacks: In this order; the state is saved after them.
        accumulate: Batches whose gradients make up one step.
        logger: Of Lightning; None logs nothing.

    Returns:
        The trainer, after its last step.
    """
    state = folder / STATE
    trainer = L.Trainer(
        accelerator="auto",
        devices=config.devices,
        num_nodes=config.nodes,
        precision=precision_of(config),
        max_epochs=epochs,
        accumulate_grad_batches=accumulate,
        reload_dataloaders_every_n_epochs=1,
        use_distributed_sampler=False,
        gradient_clip_val=config.clip_norm or None,
        num_sanity_val_steps=0,
        # The state comes last, so that it holds what the others did.
        callbacks=[*callbacks, ResumableState(state)],
        logger=logger or False,
        default_root_dir=str(folder),
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    resumed = str(state) if state.exists() else None
    trainer.fit(module, datamodule=data, ckpt_path=resumed, weights_only=True)
    return trainer


def finish_once(
    record: Record, advice: str, work: Callable[[], tuple[L.Trainer, Mapping[str, Any]]]
) -> dict[str, Any]:
    """Do the work of a record's folder, unless it is finished, and return what the record says.

    Args:
        record: Of the folder.
        advice: What to do where it is of other inputs.
        work: Calls `optimise` there and returns its trainer and what is to be recorded.

    Raises:
        S2S2Error: Of the record's class, if the folder holds the work of other inputs.
        StorageError: If a file cannot be written, or another process works in the folder.
    """
    content, folder = record.require(advice), record.path.parent
    if content.get("finished"):
        return content
    with lightning_in(folder):
        # Whoever had the folder until now may have finished.
        content = record.require(advice)
        if content.get("finished"):
            return content
        record.begin()
        trainer, found = work()
        if trainer.is_global_zero:
            record.finish(found)
            (folder / STATE).unlink(missing_ok=True)
        trainer.strategy.barrier()
    return record.content()


@contextmanager
def lightning_in(folder: Path) -> Iterator[None]:
    """Let Lightning write into a folder: without tips and warnings, and as the only one there.

    Raises:
        StorageError: If a file cannot be written, or another process works in the folder.
    """
    logger = logging.getLogger("lightning.pytorch")
    level = logger.level
    # Of several processes that learn together the first claims the folder for all.
    claim = claimed(folder) if getattr(rank_zero_only, "rank", 0) == 0 else nullcontext()
    with storage_errors(folder), claim, warnings.catch_warnings():
        logger.setLevel(logging.ERROR)
        warnings.filterwarnings("ignore", module="lightning")
        try:
            yield
        finally:
            logger.setLevel(level)
