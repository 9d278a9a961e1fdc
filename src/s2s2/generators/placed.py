"""What generators that learn have in common: a folder in which their weights lie."""

from __future__ import annotations

from pathlib import Path

from s2s2.errors import ConfigError


class Placed:
    """Knows where the weights are, and whether a finished tuning lies there."""

    name: str

    def __init__(self) -> None:
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
