"""dataset.json of nnU-Net, versions 1 and 2: channels, classes and the ending of the files.

Format: https://github.com/MIC-DKFZ/nnUNet/blob/master/documentation/dataset_format.md
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from s2s2.core.storage import read_json
from s2s2.errors import DataError

FILE = "dataset.json"
IMAGES, LABELS, TEST_IMAGES, TEST_LABELS = "imagesTr", "labelsTr", "imagesTs", "labelsTs"
_IGNORE = "ignore"


@dataclass(frozen=True)
class Description:
    """What dataset.json says.

    Args:
        path: The file.
        channels: Name of each channel, such as CT or T2.
        labels: As the file has them.
        ending: Of the image files, such as .nii.gz; "" where it does not say.
    """

    path: Path
    channels: tuple[str, ...]
    labels: Mapping[str, Any]
    ending: str = ""

    @classmethod
    def of(cls, folder: Path) -> Description | None:
        """Read the description of a data set of nnU-Net, also from its folder imagesTr or imagesTs.

        Returns:
            None for any other folder, also one with a dataset.json of another program.

        Raises:
            DataError: If the file cannot be read, or its channels are not numbered from 0.
        """
        place = Path(os.path.abspath(folder))
        root = place.parent if place.name in (IMAGES, TEST_IMAGES) else folder
        path = root / FILE
        if not path.is_file() or not any((root / name).is_dir() for name in (IMAGES, TEST_IMAGES)):
            return None
        content = read_json(path)
        channels = content.get("channel_names", content.get("modality"))
        labels, ending = content.get("labels"), content.get("file_ending", "")
        if not isinstance(channels, dict) or not isinstance(labels, dict) or not isinstance(ending, str):
            return None
        return cls(path, _in_order(channels, path), labels, ending)

    @property
    def classes(self) -> tuple[tuple[str, ...], tuple[tuple[int, ...], ...]]:
        """Names and mask values of the classes, in the order of their values, the background first.

        Raises:
            DataError: If it has regions or pixels to ignore, which exclude a class map, or its labels are
                not one number each.
        """
        pairs = sorted(self._pairs())
        values = [value for value, _ in pairs]
        if len(set(values)) != len(values) or values[:1] != [0]:
            raise DataError(
                f"{self.path} has the label values {', '.join(map(str, values))}, expected a different one "
                "for each label, and 0 for the background. Correct it, or give --classes."
            )
        return tuple(name for _, name in pairs), tuple((value,) for value in values)

    def _pairs(self) -> list[tuple[int, str]]:
        """Return value and name of each label."""
        if self.labels and all(isinstance(name, str) for name in self.labels.values()):  # version 1
            return [(self._number(value, name), name) for value, name in self.labels.items()]
        if _IGNORE in self.labels:
            raise DataError(
                f"{self.path} has the label {_IGNORE} ({self.labels[_IGNORE]}) for pixels that were not "
                "annotated, and s2s2 learns from all pixels. Give --classes with its value in one of the "
                "classes, such as background=0,3, or leave out the cases that have it."
            )
        return [(self._number(value, name), name) for name, value in self.labels.items()]

    def _number(self, value: Any, name: str) -> int:
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        if isinstance(value, list):
            raise DataError(
                f"{self.path} has the region {name}, which joins the labels {', '.join(map(str, value))}. "
                "Classes of s2s2 exclude one another: give --classes with one name for each value, such as "
                "background=0 edema=1 core=2."
            )
        try:
            return int(value)
        except (TypeError, ValueError) as error:
            raise DataError(
                f"{self.path} has the label {name} with the value {value!r}, expected a whole number. "
                "Correct it, or give --classes."
            ) from error


def _in_order(channels: Mapping[str, Any], path: Path) -> tuple[str, ...]:
    """Return the names of channels numbered from 0."""
    names = [channels.get(str(number)) for number in range(len(channels))]
    if not names or not all(isinstance(name, str) for name in names):
        raise DataError(
            f'{path} names the channels {dict(channels)}, expected a name for each number from "0" on, such '
            'as {"0": "CT"}. Correct it.'
        )
    return tuple(str(name) for name in names)
