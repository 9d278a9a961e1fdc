"""What generators that learn have in common: a folder in which their weights lie."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from s2s2.core.types import Image
from s2s2.data.case import Case
from s2s2.errors import ConfigError
from s2s2.generators.options import to_json
from s2s2.generators.refusals import require_training_case, unfitted

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


class Placed:
    """Knows where the weights are, and whether a finished tuning lies there."""

    name: str
    sampling: ClassVar[frozenset[str]]
    """Options that say how images are made: with others, the weights are the same."""
    batched_by: ClassVar[str]
    """The option that says how many images are made at once."""

    def __init__(self, config: DataclassInstance) -> None:
        self._options = config
        self._folder: Path | None = None
        self._weights = ""

    @property
    def case_ids(self) -> tuple[str, ...]:
        """The training cases it was tuned on; none before."""
        raise NotImplementedError

    @property
    def batch(self) -> int:
        """How many images are made at once."""
        raise NotImplementedError

    @property
    def folder(self) -> Path | None:
        """Where the weights are kept; None until it is placed."""
        return self._folder

    @property
    def tuned(self) -> bool:
        """Whether a finished tuning lies there."""
        from s2s2.generators.tuning import read_record

        return read_record(self._folder) is not None

    @property
    def weights(self) -> str:
        """A short digest of the weights in use, "" before there are any."""
        return self._weights

    @property
    def licence(self) -> str:
        """Licence of a model from elsewhere that it builds on, "" where there is none."""
        return ""

    def config(self) -> dict[str, Any]:
        """Return the configuration, ready for JSON."""
        return to_json(self._options)

    def learning(self) -> dict[str, Any]:
        """Return the options that the weights depend on."""
        return {name: value for name, value in self.config().items() if name not in self.sampling}

    def place(self, folder: Path) -> None:
        """Say where the weights are, or are to be kept."""
        self._folder = Path(folder)

    def sample(self, case: Case, depth: int, seed: int, *, start: int = 0) -> Image:
        """Return `depth` copies of a training case.

        Raises:
            SplitError: If it is not one.
            GeneratorError: If memory runs out.
        """
        return self.sample_batch([case], depth, seed, start=start)[0]

    def sample_batch(self, cases: Sequence[Case], depth: int, seed: int, *, start: int = 0) -> list[Image]:
        """Return for each case what `sample` returns, made together."""
        from s2s2.generators.tuning import memory_errors

        known = set(self.case_ids)
        if not known:
            raise unfitted(self.name)
        for case in cases:
            require_training_case(case, known)
        wanted = [(case, number) for case in cases for number in range(start, start + depth)]
        half = f"{self.name}({self.batched_by}={self.batch // 2}, ...)"
        advice = f"Try {half}, or a smaller resolution." if self.batch > 1 else "Choose a smaller resolution."
        with memory_errors(f"while making {self.batch} images at once", advice):
            images = self._make(wanted, seed)
        return [np.stack(images[row * depth : (row + 1) * depth]) for row in range(len(cases))]

    def _make(self, wanted: Sequence[tuple[Case, int]], seed: int) -> list[Image]:
        """Return the copies of these cases that have these numbers."""
        raise NotImplementedError

    def _placed(self) -> Path:
        if self._folder is None:
            raise ConfigError(
                f"{self.name}: it is not known where the weights are to be kept. Call place(folder) first, "
                "or give `s2s2 tune` an output folder."
            )
        return self._folder
