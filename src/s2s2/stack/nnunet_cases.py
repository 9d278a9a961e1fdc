"""Cases as nnU-Net takes them: real images as they are, and copies of a stack in their place and units."""

from __future__ import annotations

import shutil
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

import numpy as np

from s2s2.core.storage import atomic
from s2s2.core.types import Image, LabelMap, RawPixels
from s2s2.data.case import Case
from s2s2.data.dataset import Dataset
from s2s2.data.files import joined_header, read_joined_raw
from s2s2.data.grid import resize_image
from s2s2.data.nnunet.folder import RawFolder
from s2s2.data.volumes.formats import read_volume
from s2s2.data.volumes.masks import volume_mask
from s2s2.data.volumes.nifti import NIFTI, write_voxels
from s2s2.data.volumes.raw import RawVolume
from s2s2.data.volumes.volume import Grid, Volume
from s2s2.errors import StackError
from s2s2.stack.store import Stack

_HELD = (np.uint8, np.int16, np.uint16, np.int32, np.float32)
"""Types of numbers that every reader of nnU-Net takes."""


class CaseWriter(ABC):
    """Writes cases of one kind, each file whole or not at all; what is there stays.

    Args:
        folder: Where to.
        dataset: The cases on their own grid.
        stack: Their copies.
        train: Ids of the training cases, which alone have copies.
    """

    ending: str

    def __init__(self, folder: RawFolder, dataset: Dataset, stack: Stack, train: frozenset[str]) -> None:
        self.folder, self.dataset, self.stack = folder, dataset, stack
        marks = stack.marks
        numbers = range(stack.depth)
        self._usable = {each: {n for n in numbers if n not in marks.get(each, {})} for each in train}

    @property
    @abstractmethod
    def channels(self) -> tuple[str, ...]:
        """Names of the channels, by which nnU-Net normalises."""

    @abstractmethod
    def write(self, volume: Volume, name: str, *, test: bool) -> None:
        """Write a real case and its label map."""

    @abstractmethod
    def write_copy(self, volume: Volume, name: str, number: int, real: str) -> None:
        """Write a copy of a case, with the label map of the case `real`, which is there."""

    def has_copy(self, case: Case, number: int) -> bool:
        """Whether the stack has this copy of a case or slice, and no audit has marked it."""
        return number in self._usable.get(case.id, ())

    def _copy(self, case: Case, number: int, shape: tuple[int, int]) -> Image:
        """Read a copy and bring it to the grid of its case: shape (channel, *shape), in [0, 1]."""
        return resize_image(self.stack.copy(case.id, number), shape)

    def _copy_labels(self, name: str, real: str) -> None:
        path = self.folder.labels(name)
        if not path.exists():
            with atomic(path) as temporary:
                shutil.copyfile(self.folder.labels(real), temporary)


class VolumeWriter(CaseWriter):
    """Writes volumes as NIfTI. A copy has the grid, the label map and the units of its volume.

    A slice of which the stack has no copy, or a marked one, is the real slice, clipped as copies are.
    """

    ending = ".nii.gz"

    @property
    def channels(self) -> tuple[str, ...]:
        """The modalities that were given, or CT for channels in HU."""
        facts = list(self.dataset.cut.facts.values())
        kinds = zip(*(each.kinds for each in facts), strict=True)
        found = (f"channel {n}" if {*kind} != {"ct"} else "CT" for n, kind in enumerate(kinds))
        return self.dataset.cut.config.modalities or tuple(found)

    def write(self, volume: Volume, name: str, *, test: bool) -> None:
        """Write the values of every channel on the grid of the first."""
        grid = _grid(volume)
        for number, source in enumerate(volume.sources):
            path = self.folder.image(name, number, test=test)
            if not path.exists():
                raw = read_volume(source)
                voxels = grid.slicing.join(grid.aligned(raw, source, "channel"))
                write_voxels(path, _values(raw, voxels), grid.matrix, source)
        path = self.folder.labels(name, test=test)
        if not path.exists():
            labels = grid.slicing.join(volume_mask(self.dataset, volume))
            NIFTI.write(path, labels, grid.matrix, volume.sources[0], ())

    def write_copy(self, volume: Volume, name: str, number: int, real: str) -> None:
        """Write the copies of all slices as one volume, with the scaling of its pixels undone."""
        grid, facts = _grid(volume), self.dataset.cut.facts[volume.id]
        self._copy_labels(name, real)
        paths = [self.folder.image(name, channel) for channel in range(len(facts.scalings))]
        if all(path.exists() for path in paths):
            return
        kinds = [np.int16 if kind == "ct" else np.float32 for kind in facts.kinds]
        channels = [np.empty(grid.cut_shape, kind) for kind in kinds]
        for place, case in enumerate(volume.cases):
            is_made = self.has_copy(case, number)
            image = self._copy(case, number, grid.cut_shape[1:]) if is_made else self.dataset.image(case)
            for voxels, scaling, plane in zip(channels, facts.scalings, image, strict=True):
                values = scaling.values(plane)
                voxels[place] = np.rint(values) if voxels.dtype == np.int16 else values
        for path, voxels, source in zip(paths, channels, volume.sources, strict=True):
            write_voxels(path, grid.slicing.join(voxels), grid.matrix, source)


class PictureWriter(CaseWriter):
    """Writes flat images as PNG: colours of 8 bits in one file, else one file for each channel."""

    ending = ".png"

    def __init__(self, folder: RawFolder, dataset: Dataset, stack: Stack, train: frozenset[str]) -> None:
        super().__init__(folder, dataset, stack, train)
        self._in_colour = dataset.channels == 3 and all(
            len(case.files) == 1 and joined_header(case.files).bits == 8 for case in dataset
        )

    @property
    def channels(self) -> tuple[str, ...]:
        """The names that dataset.json gave, or those of the colours."""
        number, named = self.dataset.channels, self.dataset.cut.config.modalities
        if len(named) == number:
            return named
        return tuple("RGB") if self._in_colour else tuple(f"channel {n}" for n in range(number))

    def write(self, volume: Volume, name: str, *, test: bool) -> None:
        """Write the pixels of an image in their own bits, and its class ids."""
        case = volume.cases[0]
        self._write_pixels(name, lambda: self._pixels(case), test=test)
        path = self.folder.labels(name, test=test)
        if not path.exists():
            _save(path, self.dataset.original_mask(case))

    def write_copy(self, volume: Volume, name: str, number: int, real: str) -> None:
        """Write a copy in the size and the bits of its image."""
        case = volume.cases[0]
        self._copy_labels(name, real)

        def pixels() -> RawPixels:
            kind = self._pixels(case).dtype
            copy = self._copy(case, number, self.dataset.original_shape(case))
            scaled: RawPixels = np.rint(copy * np.float32(np.iinfo(kind).max)).astype(kind)
            return scaled

        self._write_pixels(name, pixels, test=False)

    def _pixels(self, case: Case) -> RawPixels:
        return read_joined_raw(case.files, self.dataset.channels)

    def _write_pixels(self, name: str, read: Callable[[], RawPixels], *, test: bool) -> None:
        """Write pixels (channel, height, width) where a file is missing."""
        number = 1 if self._in_colour else self.dataset.channels
        paths = [self.folder.image(name, channel, test=test) for channel in range(number)]
        if all(path.exists() for path in paths):
            return
        pixels = read()
        for path, plane in zip(
            paths, [np.moveaxis(pixels, 0, -1)] if self._in_colour else pixels, strict=True
        ):
            _save(path, plane)


def _grid(volume: Volume) -> Grid:
    if volume.grid is None:
        raise StackError(f"{volume.id} is a flat image, expected a volume.")
    return volume.grid


def _values(raw: RawVolume, voxels: RawPixels) -> RawPixels:
    """Return the values of stored numbers, in a type that nnU-Net reads."""
    if (raw.slope, raw.intercept) == (1.0, 0.0) and voxels.dtype in _HELD:
        return voxels
    values = raw.values(voxels)
    return values.astype(np.int16) if _fits(values) else values


def _fits(values: RawPixels) -> bool:
    low, high = np.iinfo(np.int16).min, np.iinfo(np.int16).max
    return bool(values.min() >= low and values.max() <= high and (values == np.rint(values)).all())


def _save(path: Path, pixels: RawPixels | LabelMap) -> None:
    from PIL import Image as Picture

    with atomic(path) as temporary:
        Picture.fromarray(np.ascontiguousarray(pixels)).save(temporary, format="PNG")
