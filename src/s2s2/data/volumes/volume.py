"""Volumes of a data set: the slices of a scan, and its grid; a flat image is a volume of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from s2s2.core.inputs import Inputs
from s2s2.core.types import Floats, LabelMap, RawPixels
from s2s2.data.case import Case
from s2s2.data.identity import image_identity
from s2s2.data.volumes.formats import read_labels, reader_named, source_identity
from s2s2.data.volumes.raw import RawVolume, described, label_values
from s2s2.data.volumes.slicing import Slicing
from s2s2.errors import DataError

_OFF = 0.05
"""Voxels that the corners of two grids may lie apart to be one; headers round."""


@dataclass(frozen=True)
class Grid:
    """Where the voxels of a volume lie, and how it was cut.

    Args:
        shape: Of the stored volume (i, j, k).
        affine: Of shape (4, 4), as `RawVolume.affine`, as rows of numbers.
        slicing: How the stored axes became slices, rows and columns.
        format: Name of the format of the file.
    """

    shape: tuple[int, int, int]
    affine: tuple[tuple[float, ...], ...]
    slicing: Slicing
    format: str

    @classmethod
    def of(cls, volume: RawVolume, slicing: Slicing) -> Grid:
        """Return the grid of a stored volume."""
        rows = tuple(tuple(float(value) for value in row) for row in volume.affine)
        return cls(volume.voxels.shape, rows, slicing, volume.format)

    @property
    def matrix(self) -> Floats:
        """The affine as an array."""
        return np.array(self.affine, np.float64)

    @property
    def cut_shape(self) -> tuple[int, int, int]:
        """Number of slices, rows and columns."""
        slices, rows, columns = (self.shape[axis] for axis in self.slicing.axes)
        return slices, rows, columns

    def aligned(self, other: RawVolume, path: Path, what: str) -> RawPixels:
        """Return the stored numbers of another volume on this grid, cut in the same way.

        Args:
            other: A mask, a prediction or a channel; its axes may be stored in another order or direction.
            path: Its file, for the error.
            what: What it is, for the error.

        Returns:
            Shape (slice, row, column).

        Raises:
            DataError: If it lies on another grid; both grids and the command that resamples are named.
        """
        slicing = Slicing.of(other.affine, self.slicing.plane)  # type: ignore[arg-type]
        voxels = slicing.cut(other.voxels)
        if voxels.shape == self.cut_shape:
            ours = self.slicing.affine(self.matrix, self.shape)
            theirs = slicing.affine(other.affine, other.voxels.shape)
            if _apart(ours, theirs, self.cut_shape) <= _OFF * min(self.slicing.spacing_mm):
                return voxels
        raise DataError(
            f"The {what} {path} lies on another grid than its image: shape {_by(other.voxels.shape)}, affine "
            f"{described(other.affine)}, the image {_by(self.shape)} and {described(self.matrix)}. Export it "
            f"on the image's grid, or resample it: {RESAMPLE}"
        )


RESAMPLE = (
    "`python -c \"import nibabel as n, nibabel.processing as p; p.resample_from_to(n.load('MASK'), "
    "n.load('IMAGE'), order=0).to_filename('RESAMPLED.nii.gz')\"`."
)
"""What brings a label map to the grid of an image, by the nearest voxel."""


def _apart(ours: Floats, theirs: Floats, shape: tuple[int, ...]) -> float:
    """Return by how many mm the corners of two grids of one shape differ at most."""
    corners = np.array([[i, j, k, 1.0] for i in (0, 1) for j in (0, 1) for k in (0, 1)])
    corners[:, :3] *= np.array(shape) - 1
    return float(np.linalg.norm((corners @ (ours - theirs).T)[:, :3], axis=1).max())


def _by(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))


@dataclass(frozen=True)
class Volume:
    """What is read, predicted and scored as one: a scan with its slices, or one flat image.

    Args:
        id: Name that is unique in its data set; of a flat image the id of its case.
        cases: Its slices from first to last, all of them, also those that no network learns from.
        sources: Files of the image, one a channel; folders where a series is one.
        mask_source: File of the mask, or None.
        grid: Where its voxels lie; None where its slices are flat images themselves.
        spacing_mm: Distance of slices, rows and columns in mm (of a flat image of rows and columns), or None.
    """

    id: str
    cases: tuple[Case, ...]
    sources: tuple[Path, ...]
    mask_source: Path | None
    grid: Grid | None = None
    spacing_mm: tuple[float, ...] | None = None

    @property
    def group(self) -> str:
        """What must not be split."""
        return self.cases[0].group

    @property
    def domain(self) -> str:
        """Site, scanner or modality."""
        return self.cases[0].domain

    @property
    def cut_shape(self) -> tuple[int, int, int]:
        """Number of slices, rows and columns of a volume with a grid.

        Raises:
            DataError: If its slices are flat images, whose files say their size.
        """
        if self.grid is None:
            raise DataError(f"The slices of {self.id} are flat images: ask each for its size.")
        return self.grid.cut_shape

    @property
    def suffix(self) -> str:
        """The suffix of its label maps."""
        return ".png" if self.grid is None else reader_named(self.grid.format).suffix

    @property
    def identity(self) -> str:
        """What identifies its image: the bytes of its files."""
        if self.grid is None and len(self.cases) == 1:
            return image_identity(self.cases[0])
        return Inputs({"files": [source_identity(path) for path in self.sources]}).digest

    @property
    def outputs(self) -> tuple[Volume, ...]:
        """What is predicted into one file each: the volume, or its slices where they are flat images."""
        return (self,) if self.grid is not None else tuple(map(Volume.flat, self.cases))

    @property
    def is_flat(self) -> bool:
        """Whether it is one flat image."""
        return self.grid is None and len(self.cases) == 1 and self.cases[0].volume is None

    @classmethod
    def flat(cls, case: Case) -> Volume:
        """Return a flat image as a volume of its own."""
        return cls(case.id, (case,), case.files, case.mask_path, None, case.spacing_mm)

    def cut(self, path: Path) -> RawPixels:
        """Read a label map of this volume from a file.

        Returns:
            Class ids of shape (slice, row, column), uint8 or uint16.

        Raises:
            DataError: If it cannot be read, or lies on another grid.
        """
        if self.grid is None:
            raise DataError(f"{self.id} is a flat image, and {path} is a volume. Give a flat label map.")
        labels = read_labels(path, self.grid.shape, self.grid.matrix, self.sources[0])
        return label_values(labels, self.grid.aligned(labels, path, "label map"), path)

    def written_as(self, format_name: str) -> Volume:
        """Return this volume, whose label maps are read and written in another format.

        Args:
            format_name: Name of the format, as `RawVolume.format`.
        """
        return self if self.grid is None else replace(self, grid=replace(self.grid, format=format_name))

    def write(self, path: Path, labels: LabelMap, names: Sequence[str] = ()) -> None:
        """Write slices of class ids (slice, row, column) in the format, order and place of the image.

        Args:
            path: Where to.
            labels: Class ids.
            names: Name of each class id, for formats that hold them.

        Raises:
            DataError: If the volume is a flat image.
        """
        if self.grid is None:
            raise DataError(f"{self.id} is a flat image, whose label map is a PNG file.")
        stored = self.grid.slicing.join(labels)
        reader_named(self.grid.format).write(path, stored, self.grid.matrix, self.sources[0], names)


def volumes_of(cases: Iterable[Case], cut: Mapping[str, Volume]) -> tuple[Volume, ...]:
    """Return the volumes that cases are slices of, each once, in the order of the cases.

    Args:
        cases: Slices and flat images.
        cut: The volumes of the slices by id.
    """
    found: dict[tuple[str, str], Volume] = {}
    for case in cases:
        if case.volume is None:
            found["flat", case.id] = Volume.flat(case)
        else:
            found.setdefault(("cut", case.volume), cut[case.volume])
    return tuple(found.values())
