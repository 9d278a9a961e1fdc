"""What generators that learn have in common: a folder in which their weights lie."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from s2s2.errors import ConfigError
from s2s2.generators.options import to_json

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


class Placed:
    """Knows where the weights are, and whether a finished tuning lies there."""

    name: str
    sampling: ClassVar[frozenset[str]]
    """Options that say how images are made: with others, the weights are the same."""

    def __init__(self, config: DataclassInstance) -> None:
        self._options = config
        self._folder: Path | None = None
        self._weights = ""

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

    def _placed(self) -> Path:
        if self._folder is None:
            raise ConfigError(
                f"{self.name}: it is not known where the weights are to be kept. Call place(folder) first, "
                "or give `s2s2 tune` an output folder."
            )
        return self._folder
