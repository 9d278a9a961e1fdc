"""The Lightning trainer, and work in a folder that is resumed after a kill and done once."""

from __future__ import annotations

import logging
import os
import signal
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.loggers import Logger
from torch.utils.data import DataLoader, Dataset as Items

from s2s2.core.engine.config import OptimisationConfig
from s2s2.core.engine.precision import precision_of
from s2s2.core.engine.sampler import StepSampler
from s2s2.core.engine.state import STATE, ResumableState, usable_state
from s2s2.core.records import Record
from s2s2.core.signals import start_loader_worker
from s2s2.core.storage import claimed, refuse_links, remove_leftovers, storage_errors
from s2s2.core.workers import is_first


class StepData(L.LightningDataModule):
    """The batches of an optimisation; Lightning asks for a loader in each interval.

    Args:
        items: What is learnt from; `items[number, turn]` is an item for the turn-th pass over all.
        config: Settings. Unless `workers` says so, a CPU gets no worker, since there the network
            is the bottleneck and takes the cores itself; a GPU gets one a core, 8 at most.
        batch: Items a batch.
        seed: Of the orders of the items.
        purpose: Name of their random streams.
    """

    def __init__(
        self, items: Items[Any], config: OptimisationConfig, *, batch: int, seed: int, purpose: str
    ) -> None:
        super().__init__()
        self.items, self.config, self.batch = items, config, batch
        self.seed, self.purpose = seed, purpose

    def batch_of(self, ranks: int) -> int:
        """Return the items of a batch in each of several processes."""
        return self.batch

    def train_dataloader(self) -> DataLoader[Any]:
        """Return the batches of the interval that the trainer is in."""
        trainer: Any = self.trainer
        gpu, workers = torch.cuda.is_available(), self.config.workers
        if workers is None or workers < 0:
            workers = min(8, os.cpu_count() or 1) if gpu else 0
        sampler = StepSampler(
            len(self.items),  # type: ignore[arg-type]
            self.batch_of(trainer.world_size),
            self.config.batches_of(trainer.current_epoch),
            seed=self.seed,
            purpose=self.purpose,
            rank=trainer.global_rank,
            ranks=trainer.world_size,
        )
        return DataLoader(
            self.items,
            batch_sampler=sampler,
            num_workers=workers,
            pin_memory=gpu,
            worker_init_fn=start_loader_worker,
        )


def optimise(
    module: L.LightningModule,
    data: StepData,
    record: Record,
    config: OptimisationConfig,
    *,
    callbacks: Sequence[L.Callback],
    accumulate: int = 1,
    logger: Logger | None = None,
) -> L.Trainer:
    """Fit a module, from the state in the folder where there is one that can be used.

    Args:
        module: What learns.
        data: Its batches.
        record: Of the work; in its folder the state is kept after each interval.
        config: Settings.
        callbacks: In this order; the state is saved after them.
        accumulate: Batches whose gradients make up one step.
        logger: Of Lightning; None logs nothing.

    Returns:
        The trainer, after its last step.
    """
    folder = record.path.parent
    state, inputs = folder / STATE, record.inputs.digest
    resumed = usable_state(state, inputs, aside=is_first())
    trainer = L.Trainer(
        accelerator="auto",
        devices=config.devices,
        num_nodes=config.nodes,
        precision=precision_of(config),
        max_epochs=config.epochs,
        accumulate_grad_batches=accumulate,
        reload_dataloaders_every_n_epochs=1,
        use_distributed_sampler=False,
        gradient_clip_val=config.clip_norm or None,
        num_sanity_val_steps=0,
        # The state comes last, so that it holds what the others did.
        callbacks=[*callbacks, ResumableState(state, inputs)],
        logger=logger or False,
        default_root_dir=str(folder),
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    with _interrupts():
        trainer.fit(module, datamodule=data, ckpt_path=resumed and str(resumed), weights_only=True)
    return trainer


@contextmanager
def _interrupts() -> Iterator[None]:
    """Pass Ctrl-C and SIGTERM on: Lightning ends the program with code 1, and lets it ignore the next one."""
    handler = signal.getsignal(signal.SIGINT)
    try:
        yield
    except SystemExit as end:
        if not isinstance(end.__context__, KeyboardInterrupt):
            raise
        if handler is not None and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, handler)
        raise end.__context__ from None


def finish_once(
    record: Record,
    advice: str,
    work: Callable[[], tuple[L.Trainer, Mapping[str, Any]]],
    outputs: Callable[[], Iterable[Path]],
) -> dict[str, Any]:
    """Do the work of a record's folder, unless it is finished and whole, and return what the record says.

    Args:
        record: Of the folder.
        advice: What to do where it is of other inputs.
        work: Calls `optimise` there and returns its trainer and what is to be recorded.
        outputs: Returns the files that must be whole when it is done.

    Raises:
        S2S2Error: Of the record's class, if the folder holds the work of other inputs.
        StorageError: If a file cannot be written, or another process works in the folder.
    """
    refuse_links(record.path.parent)
    folder = record.path.parent
    if done := record.done(advice):
        return done
    with lightning_in(folder):
        # Whoever had the folder until now may have finished.
        if done := record.done(advice):
            return done
        if record.faults():  # a state of finished work would keep the files that are not whole
            (folder / STATE).unlink(missing_ok=True)
        record.begin()
        trainer, found = work()
        if trainer.is_global_zero:
            record.finish(found, outputs())
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
    claim = claimed(folder) if is_first() else nullcontext()
    with storage_errors(folder), claim, _quiet_threads(), warnings.catch_warnings():
        if is_first():
            remove_leftovers(folder)
        logger.setLevel(logging.ERROR)
        warnings.filterwarnings("ignore", module="lightning")
        try:
            yield
        finally:
            logger.setLevel(level)


@contextmanager
def _quiet_threads() -> Iterator[None]:
    """Print no errors of the thread that writes TensorBoard's file: they are raised at its next row."""
    before = threading.excepthook

    def hook(thrown: threading.ExceptHookArgs) -> None:
        if not isinstance(thrown.exc_value, OSError):
            before(thrown)

    threading.excepthook = hook
    try:
        yield
    finally:
        threading.excepthook = before
