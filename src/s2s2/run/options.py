"""Groups of options that several commands share: each option is declared once, here.

Annotations are evaluated, not postponed: a command in another module inherits the types themselves.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from s2s2.data.volumes.config import VolumeConfig
from s2s2.errors import ConfigError

if TYPE_CHECKING:
    from s2s2.data.classes import ClassMap
    from s2s2.data.dataset import Dataset
    from s2s2.data.split import Split


@dataclass(frozen=True, kw_only=True)
class Channels:
    """How many channels images are read with.

    Args:
        channels: 1 or 3 to read every image as grey or as RGB. Without it, as the files are.
    """

    channels: int | None = None


@dataclass(frozen=True, kw_only=True)
class Public:
    """Public data sets in the layout that they are distributed in.

    Args:
        dataset: Names from `s2s2 datasets`, where the data lie as that data set is distributed: then its
            description says where images and masks are, their classes and groups. `polypgen/C1+C2`
            takes these domains alone.
    """

    dataset: tuple[str, ...] = ()

    def dataset_of(self, number: int = 0) -> str | None:
        """Return the name of the public data set of a source, None for a folder with images/ and masks/.

        Args:
            number: 0 for --data, 1 for the first --target, and so on.
        """
        if not self.dataset:
            return None
        name = self.dataset[number if len(self.dataset) > 1 else 0]
        return None if name == "none" else name


@dataclass(frozen=True, kw_only=True)
class Reading(Public, Channels):
    r"""How a data set is read.

    Args:
        classes: Class map: `background=0 polyp=255`, or a classes.json. Without it, the data set's
            classes.json or dataset.json says it, else it is inferred from the masks.
        groups: CSV file (case,group), or a regular expression on the case id whose first bracket is
            the group, like '(patient\d+)_.*'. Without it, groups.csv beside the images; else each
            case is a group, and of volumes each patient.
        volumes: How volumes become images.
    """

    classes: tuple[str, ...] | None = None
    groups: str | None = None
    volumes: VolumeConfig = field(default_factory=VolumeConfig)

    def read(
        self,
        path: Path,
        *,
        size: int | None = None,
        channels: int | None = None,
        class_map: "ClassMap | None" = None,
        number: int = 0,
    ) -> "Dataset":
        """Open a data set; what is given here stands in for the options.

        Args:
            path: Folder or CSV manifest.
            number: Its place among the sources, see `dataset_of`.
            size: Longer side of the working grid in pixels; None keeps the files' grid.
            channels: Of every image.
            class_map: The meaning of the mask values.
        """
        from s2s2.data.classes import read_class_map
        from s2s2.data.dataset import Dataset

        return Dataset.open(
            path,
            class_map=class_map or read_class_map(self.classes),
            groups=self.groups,
            channels=channels or self.channels,
            size=size,
            volumes=self.volumes,
            dataset=self.dataset_of(number),
        )


@dataclass(frozen=True, kw_only=True)
class DataOptions(Reading):
    """A data set and how it is read.

    Args:
        data: Folder with images/ and masks/ (same file stem), raw data set of nnU-Net, or CSV manifest.
    """

    data: Path


@dataclass(frozen=True, kw_only=True)
class Trusting:
    """What files may import.

    Args:
        trust: Import paths `package.module:Class` that may be imported when a file names them (a network's
            card, settings, a stack); it runs their code. What is typed here as a network or generator
            is trusted by itself. May be given several times.
    """

    trust: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Written:
    """Where the result goes.

    Args:
        output: File or folder that is written.
    """

    output: Path


@dataclass(frozen=True, kw_only=True)
class Sized:
    """The grid that images are resampled to.

    Args:
        size: Longer side of the working grid in pixels; the aspect ratio is kept.
    """

    size: int = 256

    def __post_init__(self) -> None:
        """Refuse a grid that no network takes."""
        if self.size < 32:
            raise ConfigError(f"--size must be at least 32 pixels, got {self.size}.")


@dataclass(frozen=True, kw_only=True)
class Seeded:
    """Where the random numbers come from.

    Args:
        seed: Seed of every random draw.
    """

    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class Parallel:
    """How much is done at once.

    Args:
        jobs: Processes side by side. Without it, one for each core, or one for a GPU.
    """

    jobs: int | None = None

    def __post_init__(self) -> None:
        """Refuse fewer than one process."""
        if self.jobs is not None and self.jobs < 1:
            raise ConfigError(f"--jobs must be at least 1, got {self.jobs}.")


@dataclass(frozen=True, kw_only=True)
class Tolerant:
    """How exactly a surface is to be met.

    Args:
        tolerance: Tolerance of the normalised surface Dice, in mm where the spacing is known, else in
            pixels.
    """

    tolerance: float = 2.0


@dataclass(frozen=True, kw_only=True)
class Flipping:
    """How an image is shown to the networks that predict it.

    Args:
        flips: Take the mean over four flips of each image, in four times the time. Without it, over the
            flips of the training, unless a class has left or right in its name.
    """

    flips: bool | None = None


@dataclass(frozen=True, kw_only=True)
class SplitFile:
    """Which cases are for training and which for testing.

    Args:
        split: A split.json from `s2s2 split` or from a run.
    """

    split: Path | None = None

    def training_split(self, dataset: "Dataset") -> "Split":
        """Read the split of a data set that something is to be learnt from.

        Raises:
            ConfigError: If no split was given.
            SplitError: If it is not a split of these cases.
        """
        from s2s2.data.split_files import load_split

        if self.split is None:
            raise ConfigError("The cases to learn from are not known. Give --split, from `s2s2 split`.")
        split = load_split(self.split, dataset)
        split.check(dataset)
        return split


@dataclass(frozen=True, kw_only=True)
class PartOfSplit(SplitFile):
    """Which part of a data set is predicted and scored.

    Args:
        split: A split.json, of which one part is taken. Without it, all cases are.
        part: The part that is taken where --split is given.
    """

    part: Literal["train", "validation", "test"] = "test"

    def of_part(self, dataset: "Dataset") -> "Dataset":
        """Return the cases of the part, or all cases where no split is given."""
        from s2s2.data.split_files import load_split

        return load_split(self.split, dataset).part(dataset, self.part) if self.split else dataset


@dataclass(frozen=True, kw_only=True)
class TrainingData(Written, Sized, SplitFile, DataOptions):
    """The cases that something is learnt from, and where it is written."""

    def open(self) -> "tuple[Dataset, Split]":
        """Open the data set on the working grid, with its split."""
        dataset = self.read(self.data, size=self.size)
        return dataset, self.training_split(dataset)
