"""Generator `diffusion`: a flow that is trained on the training cases makes wholly new images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

import torch

from s2s2.core.progress import Progress
from s2s2.core.types import Image
from s2s2.data.case import Case
from s2s2.generators.base import unfitted
from s2s2.generators.diffusion.config import DiffusionConfig, DiffusionSamplingConfig
from s2s2.generators.diffusion.items import Grid
from s2s2.generators.learning import Cost, Judge, LearningGenerator

if TYPE_CHECKING:
    from s2s2.data import Dataset, Split
    from s2s2.generators.diffusion.module import FlowModule


class Diffusion(LearningGenerator):
    """Makes images per mask by a flow that was trained on the training cases alone.

    No hub, no weights from elsewhere, grey or RGB, any classes. Images are made at
    `resolution` (64 px on a CPU) and resized where the working grid is larger.

    Args:
        config: Its options.

    Example:
        >>> Diffusion(DiffusionConfig(preset="cpu")).tuned
        False
    """

    name = "diffusion"
    sampling = DiffusionSamplingConfig
    batched_by = "made_at_once"
    options: DiffusionConfig

    def __init__(self, config: DiffusionConfig | None = None) -> None:
        self.options = config or DiffusionConfig()
        self._module: FlowModule | None = None

    @property
    def case_ids(self) -> tuple[str, ...]:
        """The training cases it was tuned on; none before."""
        return self._module.grid.train.ids if self._module is not None else ()

    @property
    def batch(self) -> int:
        """How many images are made at once."""
        return self._resolved().sampling.made_at_once or 1

    def cost(self, dataset: Dataset, split: Split) -> Cost:
        """Time a step and a batch of samples; an autoencoder, where one comes first, is not counted."""
        from s2s2.generators.diffusion.stages import measure

        return measure(dataset.subset(split.train), self._resolved())

    def tune(
        self, dataset: Dataset, split: Split, *, judge: Judge | None = None, progress: Progress | None = None
    ) -> Self:
        """Learn from the training cases of a split; a tuning that was interrupted goes on.

        Raises:
            ConfigError: If it was not placed.
            GeneratorError: If there are too few cases, the folder holds a tuning on other cases
                or with other settings, memory is short or the loss is not finite.
        """
        from s2s2.generators.diffusion.stages import tune_flow

        folder, options = self._placed(), self._resolved()
        grid = Grid.of(dataset.subset(split.train), options.resolution or 64, multiple=options.multiple)
        module, record = tune_flow(grid, options, folder, judge=judge, progress=progress)
        # This order of memory spares a CPU a fifth of the time.
        module.learnt.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        module.learnt.to("cuda" if torch.cuda.is_available() else "cpu").eval()
        if module.autoencoder is not None:
            module.autoencoder.to(next(module.learnt.parameters()).device)
        self._module, self._weights = module, record["weights"]
        return self

    def make(self, wanted: Sequence[tuple[Case, int]], seed: int) -> list[Image]:
        """Return the copies of these cases that have these numbers."""
        if self._module is None:
            raise unfitted(self.name)
        images: list[Image] = []
        for first in range(0, len(wanted), self.batch):
            cases, numbers = zip(*wanted[first : first + self.batch], strict=True)
            images += self._module.sample(cases, numbers, seed)
        return images

    def _resolved(self) -> DiffusionConfig:
        """Return the options with the values of the preset that the folder was tuned with."""
        from s2s2.generators.tuning.record import read_record

        record = read_record(self._folder, finished=False) or {}
        return self.options.resolved(record.get("inputs", {}).get("preset"))
