"""Tuning of `diffusion` and its cost: the flow, and before it the autoencoder of large images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from s2s2.core.engine.precision import dtype_of
from s2s2.core.progress import Progress
from s2s2.core.timing import seconds_of
from s2s2.data.dataset import Dataset
from s2s2.generators.diffusion.autoencoder import AutoencoderModule
from s2s2.generators.diffusion.config import DiffusionConfig
from s2s2.generators.diffusion.items import Grid, MaskedImages
from s2s2.generators.diffusion.module import FlowModule
from s2s2.generators.learning import Cost, Judge
from s2s2.generators.tuning.engine import run_tuning
from s2s2.generators.tuning.module import TunedModule
from s2s2.generators.tuning.record import is_tuned

AUTOENCODER = "autoencoder"
"""Folder of the first stage, within the generator's."""
TIMED = 4
"""Images that are timed together."""


def tune_flow(
    grid: Grid,
    config: DiffusionConfig,
    folder: Path,
    *,
    judge: Judge | None = None,
    progress: Progress | None = None,
) -> tuple[FlowModule, dict[str, Any]]:
    """Tune what is not tuned yet, and return the flow with the weights that were kept.

    Args:
        grid: The network's grid.
        config: With the preset's values.
        folder: Where the weights go; the autoencoder's into a folder within.
        judge: Of the flow's samples.
        progress: Called after each step of either stage.

    Raises:
        GeneratorError: As `run_tuning`, or if weights are corrupt.
    """
    items = MaskedImages(grid, augment=config.augment, seed=config.tune.seed)
    about = _about(config, grid)
    autoencoder, first = None, 0
    if grid.size > config.latent_above:
        first = config.autoencoder_steps or 1
        module = AutoencoderModule(grid, config)
        record = run_tuning(
            module,
            items,
            folder / AUTOENCODER,
            module.config,
            train=grid.train,
            about=about,
            progress=_shifted(progress, 0, config.tuning().steps, "autoencoder"),
        )
        module.load(folder / AUTOENCODER, record)
        autoencoder, about = module.learnt, {**about, "autoencoder": record["weights"]}
    flow = FlowModule(grid, config, autoencoder)
    if not is_tuned(folder):
        flow.measure()
    record = run_tuning(
        flow,
        items,
        folder,
        flow.config,
        train=grid.train,
        about=about,
        judge=judge,
        progress=_shifted(progress, first, 0, ""),
    )
    flow.load(folder, record)
    return flow, record


def _shifted(progress: Progress | None, before: int, after: int, stage: str) -> Progress | None:
    """Return a progress of one stage that counts the steps of both."""
    if progress is None:
        return None
    report = progress

    def shifted(done: int, total: int, words: str) -> None:
        report(before + done, before + total + after, ", ".join(filter(None, (stage, words))))

    return shifted


def _about(config: DiffusionConfig, grid: Grid) -> dict[str, Any]:
    """Return what the weights depend on beside the cases and the tuning's settings."""
    latent = grid.size > config.latent_above
    return {
        "generator": "diffusion",
        "preset": config.preset,
        "size": grid.size,
        "channels": grid.channels,
        "classes": list(grid.train.class_map.names),
        "widths": list(config.channels or ()),
        "blocks": config.blocks,
        "mask_dropout": config.mask_dropout,
        "augment": config.augment,
        "latent": [config.latent_channels, *config.autoencoder_channels] if latent else None,
    }


def measure(train: Dataset, options: DiffusionConfig) -> Cost:
    """Return what tuning on these cases, and a sample, take.

    Args:
        train: The training cases.
        options: With the preset's values.
    """
    few = train.subset(train.ids[:TIMED])
    grid = Grid.of(few, options.resolution or 64, multiple=options.multiple)
    tuning_s, autoencoder = 0.0, None
    if grid.size > options.latent_above:
        first = AutoencoderModule(grid, options)
        tuning_s, autoencoder = _tuning_s(first, grid, options), first.learnt
    flow = FlowModule(grid, options, autoencoder)
    tuning_s += _tuning_s(flow, grid, options)
    flow.learnt.eval()
    cases = list(few)
    image_s = seconds_of(lambda: flow.sample(cases, range(len(cases)), 0)) / len(cases)
    return Cost(tuning_s, image_s)


def _tuning_s(module: TunedModule, grid: Grid, options: DiffusionConfig) -> float:
    """Return the time of all steps of a stage."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    module.to(device)
    items = MaskedImages(grid, augment=options.augment, seed=options.tune.seed)
    rows = [items[number, 0] for number in range(len(items))]
    image, condition, settings = (torch.stack(part).to(device) for part in zip(*rows, strict=True))
    noise, tuning = torch.Generator().manual_seed(0), module.config
    dtype = dtype_of(tuning)

    def step() -> None:
        with torch.autocast(device.type, dtype, enabled=dtype is not torch.float32):
            loss = module.loss((image, condition, settings), noise)
        torch.autograd.backward(loss)

    step_s = seconds_of(step)
    return step_s / len(rows) * tuning.steps * tuning.batch * tuning.accumulate
