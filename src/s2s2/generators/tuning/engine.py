"""Run a tuning: resumable, and finished only when its record says so."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import lightning as L
import torch
from torch.utils.data import DataLoader, Dataset as Items

from s2s2.core.progress import Progress
from s2s2.core.quiet import lightning_in
from s2s2.core.software import versions
from s2s2.core.storage import read_json, write_json
from s2s2.data.dataset import Dataset
from s2s2.errors import GeneratorError
from s2s2.generators.protocol import Judge
from s2s2.generators.tuning.callbacks import Averages, Checks, State, Steps
from s2s2.generators.tuning.config import TuneConfig
from s2s2.generators.tuning.ema import Ema
from s2s2.generators.tuning.grid import JudgedCases
from s2s2.generators.tuning.memory import batch_that_fits, memory_errors
from s2s2.generators.tuning.module import TunedModule
from s2s2.generators.tuning.order import BatchOrder
from s2s2.generators.tuning.record import (
    RECORD,
    STATE,
    Record,
    check_record,
    fingerprint_of,
    read_record,
    weights_digest,
)

FEWEST = 8
"""Fewer training cases than this teach a generator nothing but themselves."""


def run_tuning(
    module: TunedModule,
    items: Items[Any],
    folder: Path,
    config: TuneConfig,
    *,
    train: Dataset,
    fingerprint: Mapping[str, Any],
    judge: Judge | None = None,
    progress: Progress | None = None,
) -> Record:
    """Tune a module on items and keep its averaged weights.

    A call that was interrupted goes on at the last check, to the same weights as an
    undisturbed one on the same machine; one that is finished returns at once.

    Args:
        module: What learns.
        items: `items[number, turn]` is the item for the turn-th pass over all, so that
            augmentation depends on the two numbers alone.
        folder: Where weights, tuned.json, history.csv and samples/ go.
        config: Settings.
        train: The training cases on the working grid, for the pictures and the judge.
        fingerprint: What else the weights depend on, by name, ready for JSON.
        judge: Of the samples; the weights that it likes best are kept. None keeps the last.
        progress: Called after each step.

    Returns:
        The record that lies in tuned.json.

    Raises:
        GeneratorError: If there are too few cases, the folder holds another tuning, memory
            is short or the loss is not finite.
        StorageError: If a file cannot be written, the last check is kept then; or another
            process tunes there.
    """
    _check_cases(train)
    wanted = fingerprint_of(fingerprint, config)
    record = _left(folder, wanted, train)
    if record is not None and record["finished"]:
        return record
    about = {"fingerprint": wanted, "cases": list(train.ids), "config": asdict(config)}
    doing = f"while tuning with batch {config.batch}; the last check is kept"
    advice = batch_that_fits(config.batch, config.accumulate)
    with lightning_in(folder), memory_errors(doing, advice):
        # Whoever had the folder until now may have finished.
        record = _left(folder, wanted, train)
        if record is not None and record["finished"]:
            return record
        if record is None:
            write_json(folder / RECORD, {"finished": False, **about})
        judged = JudgedCases.drawn(train, config.judged, config.seed)
        checks = Checks(folder, config, Ema(module.learnt, config.ema), judged, judge)
        _fit(module, items, checks, about, progress)
    return read_json(folder / RECORD, error=GeneratorError)


def _left(folder: Path, wanted: Mapping[str, Any], train: Dataset) -> Record | None:
    """Return what an earlier call left in the folder, refused where it is another tuning's."""
    record = read_record(folder, finished=False)
    if record is not None:
        check_record(folder, record, fingerprint=wanted, cases=train.ids)
    return record


def _fit(
    module: TunedModule,
    items: Items[Any],
    checks: Checks,
    about: Mapping[str, Any],
    progress: Progress | None,
) -> None:
    """Go on to the end, then name the weights in the record, which makes the tuning finished."""
    folder, config = checks.folder, checks.config
    trainer, state = _trainer(checks, progress), folder / STATE
    trainer.fit(
        module,
        datamodule=_Batches(items, config),
        ckpt_path=str(state) if state.exists() else None,
        weights_only=True,
    )
    if trainer.is_global_zero:
        weights = weights_digest(module.weights_file(folder))
        found = {"steps": trainer.global_step, **checks.summary(), "weights": weights}
        software = versions("torch", "lightning", "monai", "diffusers", "transformers")
        write_json(folder / RECORD, {"finished": True, **about, **found, "software": software})
        state.unlink(missing_ok=True)
    trainer.strategy.barrier()


class _Batches(L.LightningDataModule):
    """The batches of one interval; Lightning asks anew for each."""

    def __init__(self, items: Items[Any], config: TuneConfig) -> None:
        super().__init__()
        self.items, self.config = items, config

    def train_dataloader(self) -> DataLoader[Any]:
        """Return the batches from one check to the next."""
        trainer, config = self.trainer, self.config
        epoch, rank, ranks = (
            (trainer.current_epoch, trainer.global_rank, trainer.world_size) if trainer else (0, 0, 1)
        )
        order = BatchOrder(
            len(self.items),  # type: ignore[arg-type]
            config.batch,
            epoch * config.interval * config.accumulate,
            config.steps_of(epoch) * config.accumulate,
            seed=config.seed,
            rank=rank,
            ranks=ranks,
        )
        workers = config.workers
        if workers < 0:
            workers = min(8, os.cpu_count() or 1) if torch.cuda.is_available() else 0
        return DataLoader(
            self.items, batch_sampler=order, num_workers=workers, pin_memory=torch.cuda.is_available()
        )


def _trainer(checks: Checks, progress: Progress | None) -> L.Trainer:
    folder, config = checks.folder, checks.config
    return L.Trainer(
        accelerator="auto",
        devices=config.devices,
        num_nodes=config.nodes,
        precision=precision(config),
        max_epochs=config.epochs,
        accumulate_grad_batches=config.accumulate,
        reload_dataloaders_every_n_epochs=1,
        use_distributed_sampler=False,
        gradient_clip_val=config.clip_norm or None,
        num_sanity_val_steps=0,
        callbacks=[
            Averages(checks.ema),
            Steps(config, checks, progress),
            checks,
            # Last, so that what it saves holds what the others did.
            State(folder / STATE),
        ],
        logger=False,
        default_root_dir=str(folder),
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )


def precision(config: TuneConfig) -> Any:
    """Return the precision that Lightning is asked for."""
    if config.precision != "auto":
        return config.precision
    if torch.cuda.is_available():
        return "bf16-mixed" if torch.cuda.is_bf16_supported() else "16-mixed"
    # A processor that has to imitate bfloat16 is ten times slower in it; one that has it a third faster.
    found: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return "bf16-mixed" if found.get("avx512_bf16") or found.get("amx_bf16") else "32-true"


def _check_cases(train: Dataset) -> None:
    if len(train) < FEWEST:
        raise GeneratorError(
            f"The training split has {len(train)} cases, and a generator that learns needs {FEWEST} at the "
            "very least, better some hundred: from so few it learns nothing but them. Give more cases to "
            "training, or take a generator that needs no tuning, such as composite or appearance."
        )
