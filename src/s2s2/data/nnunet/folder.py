"""Folder of a raw data set of nnU-Net that is written: where its files lie, and what describes them."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from s2s2.core.storage import write_text
from s2s2.data.nnunet.description import FILE, IMAGES, LABELS, TEST_IMAGES, TEST_LABELS
from s2s2.errors import ConfigError, DataError

SPLITS = "splits_final.json"
_NAME = re.compile(r"Dataset(\d{3})_\w+")
_KEPT = ("background", "ignore")
"""Names of labels that mean something to nnU-Net."""


@dataclass(frozen=True)
class RawFolder:
    """A raw data set of nnU-Net.

    Args:
        root: The folder, such as nnUNet_raw/Dataset002_Heart; it need not exist.
        ending: Of all its images and label maps.

    Raises:
        ConfigError: If nnU-Net does not find a folder of this name, or finds two of its number.

    Example:
        >>> folder = RawFolder(Path("Dataset002_Heart"), ".nii.gz")
        >>> folder.number, folder.image("a", 0).as_posix(), folder.labels("b", test=True).as_posix()
        (2, 'Dataset002_Heart/imagesTr/a_0000.nii.gz', 'Dataset002_Heart/labelsTs/b.nii.gz')
    """

    root: Path
    ending: str

    def __post_init__(self) -> None:
        if _NAME.fullmatch(self.root.name) is None:
            raise ConfigError(
                f"--output is {self.root}, and nnU-Net finds data sets by names such as Dataset002_Heart: "
                "three digits and a name. Give such a folder, best in nnUNet_raw."
            )
        start = self.root.name[: len("Dataset000_")]
        others = [path.name for path in self.root.parent.glob(f"{start}*") if path.name != self.root.name]
        if others:
            raise ConfigError(
                f"{others[0]} lies beside --output {self.root} and has its number, so that nnU-Net would "
                "find neither. Give another number."
            )

    @property
    def number(self) -> int:
        """The number by which nnU-Net knows the data set."""
        return int(self.root.name[len("Dataset") : len("Dataset000")])

    def image(self, name: str, channel: int, *, test: bool = False) -> Path:
        """Return the file of a channel of a case."""
        return self.root / (TEST_IMAGES if test else IMAGES) / f"{name}_{channel:04d}{self.ending}"

    def labels(self, name: str, *, test: bool = False) -> Path:
        """Return the file of the label map of a case."""
        return self.root / (TEST_LABELS if test else LABELS) / f"{name}{self.ending}"

    def describe(self, channels: Sequence[str], classes: Sequence[str], cases: int, about: str) -> None:
        """Write dataset.json.

        Args:
            channels: Their names.
            classes: Names of the classes, in the order of their ids; the first becomes `background`.
            cases: Number of training cases.
            about: A description in words.

        Raises:
            DataError: If another class has a name that nnU-Net keeps for itself.
            StorageError: If the file cannot be written.
        """
        if kept := [name for name in classes[1:] if name in _KEPT]:
            raise DataError(
                f"A class is named {kept[0]}, which means something else to nnU-Net. Give it another name "
                "with --classes."
            )
        content = {
            "channel_names": {str(number): name for number, name in enumerate(channels)},
            "labels": {name: number for number, name in enumerate(("background", *classes[1:]))},
            "numTraining": cases,
            "file_ending": self.ending,
            "description": about,
        }
        self._write(FILE, content)

    def divide(self, train: Sequence[str], validation: Sequence[str]) -> None:
        """Write splits_final.json with one fold.

        Raises:
            StorageError: If the file cannot be written.
        """
        self._write(SPLITS, [{"train": list(train), "val": list(validation)}])

    def _write(self, name: str, content: Any) -> None:
        write_text(self.root / name, json.dumps(content, indent=1, ensure_ascii=False) + "\n")
