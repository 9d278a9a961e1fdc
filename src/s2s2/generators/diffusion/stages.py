"""One tuning, or two: the flow, and before it the autoencoder of large images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from s2s2.core.progress import Progress
from s2s2.generators.diffusion.autoencoder import AutoencoderModule
from s2s2.generators.diffusion.config import DiffusionConfig
from s2s2.generators.diffusion.items import Grid, MaskedImages
from s2s2.generators.diffusion.module import FlowModule
from s2s2.generators.protocol import Judge
from s2s2.generators.tuning import read_record, run_tuning

AUTOENCODER = "autoencoder"
"""Folder of the first stage, within the generator's."""


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
    items = MaskedImages(grid, augment=config.augment, seed=config.seed)
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
    if read_record(folder) is None:
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

    def tell(done: int, total: int, words: str) -> None:
        report(before + done, before + total + after, ", ".join(filter(None, (stage, words))))

    return tell


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
