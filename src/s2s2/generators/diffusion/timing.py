"""How long a tuning and a sample take here, from a few images that are timed."""

from __future__ import annotations

import torch

from s2s2.core.engine.precision import dtype_of
from s2s2.core.timing import seconds_of
from s2s2.data.dataset import Dataset
from s2s2.generators.cost import Cost
from s2s2.generators.diffusion.autoencoder import AutoencoderModule
from s2s2.generators.diffusion.config import DiffusionConfig
from s2s2.generators.diffusion.items import Grid, MaskedImages
from s2s2.generators.diffusion.module import FlowModule
from s2s2.generators.tuning import TunedModule

TIMED = 4
"""Images that are timed together."""


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
    items = MaskedImages(grid, augment=options.augment, seed=options.seed)
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
