"""The generator: tuned on the training cases, it shows a mask in wholly new images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from s2s2.data.case import Case
from s2s2.errors import ConfigError, GeneratorError, SplitError
from s2s2.generators.diffusion.config import DiffusionConfig
from s2s2.generators.diffusion.items import Grid, MaskedImages
from s2s2.generators.options import to_json
from s2s2.generators.protocol import Judge, Progress
from s2s2.generators.pyramid import Image

if TYPE_CHECKING:
    from s2s2.data import Dataset, Split
    from s2s2.generators.diffusion.module import FlowModule


class Diffusion:
    """Makes images of a mask by a flow that was trained on the training cases alone.

    No hub, no weights from elsewhere, grey or RGB, any classes. Images are made at
    `resolution` (64 px on a CPU) and resized where the working grid is larger.

    Args:
        config: What it may do.

    Example:
        >>> Diffusion(DiffusionConfig(preset="cpu")).tuned
        False
    """

    name = "diffusion"

    def __init__(self, config: DiffusionConfig | None = None) -> None:
        self._config = config or DiffusionConfig()
        self._folder: Path | None = None
        self._module: FlowModule | None = None
        self._weights = ""

    @property
    def case_ids(self) -> tuple[str, ...]:
        """The training cases it was tuned on; none before."""
        return self._module.grid.train.ids if self._module is not None else ()

    @property
    def folder(self) -> Path | None:
        """Where its weights are kept."""
        return self._folder

    @property
    def tuned(self) -> bool:
        """Whether a finished tuning lies in the folder."""
        from s2s2.generators.tuning import read_record

        return read_record(self._folder) is not None

    @property
    def weights(self) -> str:
        """Digest of the weights in use, "" before there are any."""
        return self._weights

    @property
    def batch(self) -> int:
        """How many images are made at once."""
        return self._resolved().batch or 1

    def config(self) -> dict[str, Any]:
        """Return the configuration, ready for JSON."""
        return to_json(self._config)

    def place(self, folder: Path) -> None:
        """Say where its weights are, or are to be kept."""
        self._folder = Path(folder)

    def fit(self, dataset: Dataset, split: Split) -> Self:
        """Load the tuning of the folder, or tune there.

        Raises:
            ConfigError: If it was not placed.
            GeneratorError: If the folder holds a tuning on other cases or with other settings.
        """
        return self.tune(dataset, split)

    def tune(
        self, dataset: Dataset, split: Split, *, judge: Judge | None = None, progress: Progress | None = None
    ) -> Self:
        """Learn from the training cases of a split; a tuning that was interrupted goes on.

        Raises:
            ConfigError: If it was not placed.
            GeneratorError: If there are too few cases, the folder holds a tuning on other cases
                or with other settings, memory is short or the loss is not finite.
        """
        from s2s2.generators.diffusion.module import FlowModule
        from s2s2.generators.tuning import run_tuning

        folder = self._placed()
        options = self._resolved()
        grid = Grid.of(dataset.subset(split.train), options.resolution or 64)
        module = FlowModule(grid, options)
        record = run_tuning(
            module,
            MaskedImages(grid, augment=options.augment, seed=options.seed),
            folder,
            module.config,
            train=grid.train,
            fingerprint=_fingerprint(options, grid),
            judge=judge,
            progress=progress,
        )
        self._load(module, folder, record["weights"])
        return self

    def sample(self, case: Case, depth: int, seed: int, *, start: int = 0) -> Image:
        """Return `depth` copies of a training case.

        Raises:
            SplitError: If it is not one.
        """
        return self.sample_batch([case], depth, seed, start=start)[0]

    def sample_batch(self, cases: Sequence[Case], depth: int, seed: int, *, start: int = 0) -> list[Image]:
        """Return for each case what `sample` returns, made together."""
        if self._module is None:
            raise ConfigError("diffusion: the generator was not fitted. Call fit(dataset, split) first.")
        known = set(self.case_ids)
        for case in cases:
            if case.id not in known:
                raise SplitError(
                    f"Copies are made of training cases alone, got {case.id!r}, which is not among the "
                    f"{len(known)} cases that the generator was tuned on. Tune it on the split that trains "
                    "on this case."
                )
        wanted = [(case, number) for case in cases for number in range(start, start + depth)]
        images: list[Image] = []
        for first in range(0, len(wanted), self.batch):
            some, numbers = zip(*wanted[first : first + self.batch], strict=True)
            images += self._module.sample(some, numbers, seed)
        return [np.stack(images[row * depth : (row + 1) * depth]) for row in range(len(cases))]

    def _placed(self) -> Path:
        if self._folder is None:
            raise ConfigError(
                "diffusion: it is not known where the weights are to be kept. Call place(folder) first, or "
                "give `s2s2 tune` an output folder."
            )
        return self._folder

    def _resolved(self) -> DiffusionConfig:
        """Return the options with the values of the preset that the folder was tuned with."""
        from s2s2.generators.tuning import read_record

        record = read_record(self._folder, finished=False) or {}
        return self._config.resolved(record.get("fingerprint", {}).get("preset"))

    def _load(self, module: FlowModule, folder: Path, digest: str) -> None:
        """Put the kept weights into the network."""
        from s2s2.generators.tuning import weights_digest

        path = module.weights_file(folder)
        if weights_digest(path) != digest:
            raise GeneratorError(
                f"{path} is not the file of weights that tuned.json beside it names: it is torn, or from "
                "another tuning. Restore it, or delete the folder to tune anew."
            )
        try:
            module.learnt.load_state_dict(load_file(str(path)))
        except (SafetensorError, RuntimeError) as error:
            raise GeneratorError(
                f"The weights {path} do not fit the network of these settings ({error}). Delete the folder "
                "to tune anew."
            ) from error
        device = "cuda" if torch.cuda.is_available() else "cpu"
        module.learnt.to(device).eval()
        self._module, self._weights = module, digest


def _fingerprint(options: DiffusionConfig, grid: Grid) -> dict[str, Any]:
    """Return what the weights depend on beside the cases and the tuning's settings."""
    return {
        "generator": "diffusion",
        "preset": options.preset,
        "size": grid.size,
        "channels": grid.channels,
        "classes": list(grid.train.class_map.names),
        "widths": list(options.channels or ()),
        "blocks": options.blocks,
        "mask_dropout": options.mask_dropout,
        "augment": options.augment,
    }
