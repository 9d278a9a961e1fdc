"""A tuning from its base model to its record."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from s2s2.core.engine.precision import dtype_of
from s2s2.core.progress import Progress
from s2s2.core.storage import write_text
from s2s2.core.timing import duration
from s2s2.data.dataset import Dataset
from s2s2.generators.controlnet.base import NETWORK, Base, load_base, new_controlnet, own_device
from s2s2.generators.controlnet.config import ControlNetConfig
from s2s2.generators.controlnet.cost import cost
from s2s2.generators.controlnet.grid import Grid
from s2s2.generators.controlnet.items import LATENTS, Items, encoded
from s2s2.generators.controlnet.layout import Layout
from s2s2.generators.controlnet.module import ControlNetModule
from s2s2.generators.controlnet.prompts import prompt
from s2s2.generators.controlnet.sampler import Sampler
from s2s2.generators.controlnet.sampling import plan
from s2s2.generators.protocol import Judge
from s2s2.generators.tuning import memory_errors, run_tuning


def learn(
    config: ControlNetConfig,
    layout: Layout,
    train: Dataset,
    folder: Path,
    about: Mapping[str, Any],
    judge: Judge | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Tune a ControlNet in a folder and return its record.

    Args:
        config: How.
        layout: The base model.
        train: The training cases on the working grid.
        folder: Where controlnet/, tuned.json, history.csv and samples/ go.
        about: What the weights depend on beside cases and settings.
        judge: Of the samples.
        progress: Called with steps done, steps in all, and words.

    Raises:
        GeneratorError: If the base model or the cases do not do, or memory is short.
    """
    settings = config.tuning(len(train))
    tell: Progress = progress or (lambda done, total, words: None)
    estimate = cost(layout, config, len(train))
    tell(
        0,
        settings.steps,
        f"{layout.name}, licence {layout.licence}; tuning takes about {duration(estimate.tuning_s)}",
    )
    base = load_base(layout)
    dtype = dtype_of(settings)
    base.to(own_device(), dtype)
    with memory_errors("while images were encoded", "Choose a smaller resolution."):
        module, items = prepare(config, base, train, folder, model=layout.digest(), dtype=dtype, tell=tell)
    record = run_tuning(
        module, items, folder, settings, train=train, about=about, judge=judge, progress=progress
    )
    # Latents are the training images in another dress: they go when they are not needed.
    (folder / LATENTS).unlink(missing_ok=True)
    write_text(folder / NETWORK / "README.md", _card(layout, config))
    return record


def prepare(
    config: ControlNetConfig,
    base: Base,
    train: Dataset,
    folder: Path,
    *,
    model: str,
    dtype: torch.dtype,
    tell: Progress,
) -> tuple[ControlNetModule, Items]:
    """Return what learns and what it is shown.

    Args:
        config: How.
        base: The base model, where it is to encode.
        train: The training cases.
        folder: Where latents are kept.
        model: What tells the base model from others.
        dtype: What the base model computes with.
        tell: Told how far the encoding is.
    """
    settings = config.tuning(len(train))
    grid = Grid.of(train, config.resolution, base.multiple)
    texts = [prompt(grid.mask(case), train.class_map, config.modality) for case in train]
    known = list(dict.fromkeys(["", *texts]))
    moments = None
    if config.cache:
        moments = encoded(
            base,
            grid,
            folder,
            model=model,
            flip=config.flip,
            progress=lambda done, total: tell(0, settings.steps, f"{done} of {total} images encoded"),
        )
    controlnet = new_controlnet(base, config.seed)
    if config.checkpointing:
        controlnet.enable_gradient_checkpointing()
        base.unet.enable_gradient_checkpointing()
    module = ControlNetModule(
        controlnet,
        base,
        Sampler(base, controlnet, grid, plan(config), config.modality, config.batch),
        base.texts(known),
        prompt_dropout=config.prompt_dropout,
        dtype=dtype,
        config=settings,
    )
    items = Items(grid, [known.index(text) for text in texts], moments, flip=config.flip, seed=config.seed)
    return module, items


def _card(layout: Layout, config: ControlNetConfig) -> str:
    """Return the model card, which takes on the licence of the base model."""
    return (
        f"---\nlibrary_name: diffusers\nbase_model: {layout.name}\nlicense_name: {layout.licence}\n---\n\n"
        "# ControlNet tuned by s2s2\n\n"
        f"Base model: {layout.name}, licence {layout.licence}, which holds for these weights too. Hint: the "
        f"mask in its class map's colours, in [0, 1], at {config.resolution} px; prompt: '{config.modality} "
        "showing ..' with the names of the classes present. It has learnt from the cases that tuned.json "
        "names, and may show what they show: share it as you would share them.\n"
    )
