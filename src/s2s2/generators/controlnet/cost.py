"""What tuning and sampling cost, before they start."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch

from s2s2.core.timing import duration, seconds_of
from s2s2.data.grid import padded_side
from s2s2.errors import GeneratorError
from s2s2.generators.controlnet.base import libraries, quiet, side_multiple
from s2s2.generators.controlnet.config import ControlNetConfig
from s2s2.generators.controlnet.layout import Layout
from s2s2.generators.controlnet.sampling import plan
from s2s2.generators.cost import Cost

PATIENCE_S = 24 * 3600.0
"""Without a GPU, what takes longer is refused unless `cpu` says to go on."""
COPIES = 16
"""Copies of each mask, as published, that an estimate for a whole stack reckons with."""
SHARE = 0.4
"""Share of the speed of multiplying large matrices that convolutions and attention reach."""
LEARNING = 3.0
"""A step of learning costs as much as so many predictions: forward, and backward through all."""


def cost(layout: Layout, config: ControlNetConfig, cases: int) -> Cost:
    """Return what tuning on so many cases and a sample cost on this machine.

    Args:
        layout: The base model; of its files the configurations alone are read.
        config: Says the resolution, the epochs and how samples are made.
        cases: How many training cases there are.
    """
    once = operations(layout, config.resolution)
    speed = SHARE * machine_speed()
    processes = config.devices * config.nodes
    return Cost(
        tuning_s=LEARNING * once * config.epochs * cases / speed / processes,
        image_s=once * plan(config).evaluations / speed,
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
    if total > PATIENCE_S and not torch.cuda.is_available() and not config.cpu:
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

    The networks are laid out without memory or weights, and counted through once.
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
