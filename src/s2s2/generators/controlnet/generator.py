"""Generator `controlnet`: a ControlNet, tuned on the masks, conditions Stable Diffusion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import torch

from s2s2.core.types import Image
from s2s2.data.case import Case
from s2s2.errors import GeneratorError
from s2s2.generators.base import unfitted
from s2s2.generators.controlnet.base import NETWORK, WEIGHTS, load_base, load_controlnet, own_device, quiet
from s2s2.generators.controlnet.conditioning import Grid, check_channels
from s2s2.generators.controlnet.config import ControlNetConfig, ControlNetSamplingConfig
from s2s2.generators.controlnet.layout import Layout, find_base
from s2s2.generators.controlnet.learning import check_machine, learn
from s2s2.generators.controlnet.sampling import Sampler, plan
from s2s2.generators.learning import Cost, LearningGenerator
from s2s2.generators.tuning.record import ADVICE, tuning_record, weights_digest

if TYPE_CHECKING:
    from s2s2.core.progress import Progress
    from s2s2.data import Dataset, Split
    from s2s2.generators.learning import Judge


class ControlNet(LearningGenerator):
    """Wholly new images per mask, by Stable Diffusion.

    A ControlNet is tuned on the training cases while the base model stays as it is: it sees the
    mask in the colours of its classes, and a prompt that names the classes. Masks are shown as
    well as was learnt, so a stack should be audited.

    Args:
        config: What to build on, how to tune, how to sample.

    Reference:
        Zhang et al., *Adding conditional control to text-to-image diffusion models*, ICCV 2023.
        Pan et al., *S2S2: Semantic stacking for robust semantic segmentation in medical
        imaging*, AAAI 2025.
    """

    name = "controlnet"
    sampling = ControlNetSamplingConfig
    batched_by = "sample_batch"
    options: ControlNetConfig

    def __init__(self, config: ControlNetConfig | None = None) -> None:
        self.options = config or ControlNetConfig()
        self._train: Dataset | None = None
        self._layout: Layout | None = None
        self._sampler: Sampler | None = None

    @property
    def case_ids(self) -> tuple[str, ...]:
        """The training cases it was tuned on."""
        return self._train.ids if self._train is not None else ()

    @property
    def batch(self) -> int:
        """Images that are sampled together."""
        return self.options.sampling.sample_batch

    @property
    def licence(self) -> str:
        """Licence of the base model, as its folder says; it holds for what is made with it.

        Raises:
            GeneratorError: If there is no such base model.
        """
        return self._base_layout().licence

    def cost(self, dataset: Dataset, split: Split) -> Cost:
        """Return what tuning on the training cases, and a sample, cost on this machine.

        Raises:
            GeneratorError: If there is no such base model, or it would take a machine without a
                GPU more than a day and the configuration does not insist.
        """
        return check_machine(self._base_layout(), self.options, len(split.train), tuned=self.tuned)

    def tune(
        self, dataset: Dataset, split: Split, *, judge: Judge | None = None, progress: Progress | None = None
    ) -> Self:
        """Learn from the training cases; go on where a tuning was interrupted.

        Raises:
            ConfigError: If it was not placed.
            GeneratorError: If the base model or the cases cannot be used, or the folder holds
                another tuning.
        """
        folder = self._placed()
        train = dataset.subset(split.train)
        check_channels(train.channels)
        layout, about = self._base_layout(), self._about(train)
        record = tuning_record(folder, about, self.options.tuning(len(train)), train).done(ADVICE)
        check_machine(layout, self.options, len(train), tuned=record is not None)
        if record is None:
            record = learn(self.options, layout, train, folder, about, judge, progress)
        self._train, self._sampler = train, None
        self._weights = f"{record['weights']}-{layout.digest()}"
        return self

    def make(self, wanted: Sequence[tuple[Case, int]], seed: int) -> list[Image]:
        """Return the copies of these cases that have these numbers."""
        return self._ready().images(wanted, seed)

    def __getstate__(self) -> dict[str, Any]:
        """Leave the networks behind; another process loads them from their files."""
        return {**self.__dict__, "_sampler": None}

    def _base_layout(self) -> Layout:
        if self._layout is None:
            self._layout = find_base(self.options.base)
        return self._layout

    def _about(self, train: Dataset) -> dict[str, Any]:
        """Return what the weights depend on beside the cases and the settings of the engine."""
        names = ("modality", "resolution", "prompt_dropout", "flip", "cache")
        return {
            "generator": self.name,
            "base": self._base_layout().digest(),
            "classes": list(train.class_map.names),
            "channels": train.channels,
            **{name: getattr(self.options, name) for name in names},
        }

    def _ready(self) -> Sampler:
        """Return what samples, loaded on first use."""
        if self._train is None:
            raise unfitted(self.name)
        if self._sampler is None:
            base = load_base(self._base_layout())
            device = own_device()
            base.to(device, torch.float32 if device.type == "cpu" else torch.float16)
            controlnet = self._kept_controlnet()
            with quiet():
                controlnet.to(base.device, base.dtype, memory_format=base.memory_format)
            if self.options.sampling.compile:
                base.unet, controlnet = torch.compile(base.unet), torch.compile(controlnet)
            grid = Grid.of(self._train, self.options.resolution, base.multiple)
            self._sampler = Sampler(
                base, controlnet, grid, plan(self.options.sampling), self.options.modality, self.batch
            )
        return self._sampler

    def _kept_controlnet(self) -> Any:
        """Return the tuned ControlNet, checked against the record beside it."""
        folder = self._placed() / NETWORK
        if not self._weights.startswith(weights_digest(folder / WEIGHTS)):
            raise GeneratorError(
                f"{folder / WEIGHTS} is not the file of weights that tuned.json above it names: it is "
                "corrupt, or from another tuning. Restore it, or delete the folder to tune again."
            )
        return load_controlnet(folder)
