"""Tuning of a ControlNet: what it costs, what it is shown, and its record."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import torch

from s2s2.core.engine.precision import dtype_of
from s2s2.core.progress import Progress
from s2s2.core.storage import write_text
from s2s2.core.timing import duration, seconds_of
from s2s2.data.dataset import Dataset
from s2s2.data.grid import padded_side
from s2s2.errors import GeneratorError
from s2s2.generators.controlnet.base import (
    NETWORK,
    Base,
    libraries,
    load_base,
    new_controlnet,
    own_device,
    quiet,
    side_multiple,
)
from s2s2.generators.controlnet.conditioning import Grid, prompt
from s2s2.generators.controlnet.config import ControlNetConfig
from s2s2.generators.controlnet.items import LATENTS, Items, encoded
from s2s2.generators.controlnet.layout import Layout
from s2s2.generators.controlnet.module import ControlNetModule
from s2s2.generators.controlnet.sampling import Sampler, plan
from s2s2.generators.learning import Cost, Judge
from s2s2.generators.tuning.engine import run_tuning
from s2s2.generators.tuning.memory import memory_errors

PATIENCE_S = 24 * 3600.0
"""Without a GPU, what takes longer is refused unless `cpu` says to go on."""
COPIES = 16
"""Copies of each mask, as published, that an estimate for a whole stack reckons with."""
SHARE = 0.4
"""Share of the speed of multiplying large matrices that convolutions and attention reach."""
LEARNING = 3.0
"""A step of learning costs as much as so many predictions: forward, and backward through all."""


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
    report: Progress = progress or (lambda done, total, words: None)
    estimate = cost(layout, config, len(train))
    report(
        0,
        settings.steps,
        f"{layout.name}, licence {layout.licence}; tuning takes about {duration(estimate.tuning_s)}",
    )
    base = load_base(layout)
    dtype = dtype_of(settings)
    base.to(own_device(), dtype)
    with memory_errors("while images were encoded", "Choose a smaller resolution."):
        module, items = prepare(
            config, base, train, folder, model=layout.digest(), dtype=dtype, report=report
        )
    record = run_tuning(
        module, items, folder, settings, train=train, about=about, judge=judge, progress=progress
    )
    # Latents are the training images in another form: they go when they are not needed.
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
    report: Progress,
) -> tuple[ControlNetModule, Items]:
    """Return what learns and what it is shown.

    Args:
        config: How.
        base: The base model, where it is to encode.
        train: The training cases.
        folder: Where latents are kept.
        model: Digest of the base model.
        dtype: What the base model computes with.
        report: Called with how far the encoding is.
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
            progress=lambda done, total: report(0, settings.steps, f"{done} of {total} images encoded"),
        )
    controlnet = new_controlnet(base, config.tune.seed)
    if config.tune.checkpointing:
        controlnet.enable_gradient_checkpointing()
        base.unet.enable_gradient_checkpointing()
    module = ControlNetModule(
        controlnet,
        base,
        Sampler(base, controlnet, grid, plan(config.sampling), config.modality, config.tune.batch),
        base.texts(known),
        prompt_dropout=config.prompt_dropout,
        dtype=dtype,
        config=settings,
    )
    items = Items(
        grid, [known.index(text) for text in texts], moments, flip=config.flip, seed=config.tune.seed
    )
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


def cost(layout: Layout, config: ControlNetConfig, cases: int) -> Cost:
    """Return what tuning on so many cases and a sample cost on this machine.

    Args:
        layout: The base model; of its files the configurations alone are read.
        config: Says the resolution, the epochs and how samples are made.
        cases: How many training cases there are.
    """
    once = operations(layout, config.resolution)
    speed = SHARE * machine_speed()
    processes = config.tune.devices * config.tune.nodes
    return Cost(
        tuning_s=LEARNING * once * config.tune.epochs * cases / speed / processes,
        image_s=once * plan(config.sampling).evaluations / speed,
    )


def check_machine(layout: Layout, config: ControlNetConfig, cases: int, *, tuned: bool) -> Cost:
    """Return the cost, or refuse a machine without a GPU where it would be more than a day.

    Args:
        layout: The base model.
        config: Of the generator.
        cases: How many training cases there are; 16 copies of each are reckoned with.
        tuned: Whether only samples are still to be made.

    Raises:
        GeneratorError: If it would, and the configuration does not insist.
    """
    estimate, copies = cost(layout, config, cases), COPIES * cases
    total = (0 if tuned else estimate.tuning_s) + copies * estimate.image_s
    if total > PATIENCE_S and not torch.cuda.is_available() and not config.sampling.cpu:
        raise GeneratorError(
            f"controlnet needs a GPU and this machine has none that torch can use: with {layout.name} at "
            f"{config.resolution} px it would take {duration(total)} here ({estimate.words(copies)}). "
            "Take a machine with a GPU, use 'diffusion', which has a preset for 2 cores, or a generator that "
            "needs no tuning, composite+appearance+boxes; a small base model and resolution=192 may do too. "
            "With controlnet(cpu=True) it goes on all the same."
        )
    return estimate


def operations(layout: Layout, resolution: int) -> float:
    """Return the floating-point operations of one prediction of one image.

    The networks are built without memory or weights, and counted through once.
    """
    return _operations(str(layout.folder), resolution)


@cache
def _operations(folder: str, resolution: int) -> float:
    from torch.utils.flop_counter import FlopCounterMode

    diffusers, _ = libraries()
    with quiet(), torch.device("meta"):
        unet = diffusers.UNet2DConditionModel.from_config(
            _config(diffusers.UNet2DConditionModel, folder, "unet")
        )
        vae = _config(diffusers.AutoencoderKL, folder, "vae")
        side = padded_side(resolution, side_multiple(unet.config, vae))
        factor = 2 ** (len(vae["block_out_channels"]) - 1)
        latents = torch.empty(1, unet.config.in_channels, side // factor, side // factor)
        width = unet.config.encoder_hid_dim or unet.config.cross_attention_dim
        text = torch.empty(1, 77, width)
    counter: Any = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        unet(latents, torch.zeros(1, device="meta"), encoder_hidden_states=text)
    # The ControlNet is the UNet's first half, about a third of its work.
    return 4 / 3 * float(counter.get_total_flops())


def _config(kind: Any, folder: str, part: str) -> Any:
    return kind.load_config(folder, subfolder=part, local_files_only=True)


@cache
def machine_speed() -> float:
    """Return how many floating-point operations a second this machine does on large matrices."""
    gpu = torch.cuda.is_available()
    size, dtype, device = (8192, torch.float16, "cuda") if gpu else (1024, torch.float32, "cpu")
    matrix = torch.ones(size, size, dtype=dtype, device=device)
    # Reading a number waits for the GPU.
    return 2 * size**3 / seconds_of(lambda: float((matrix @ matrix)[0, 0]))
