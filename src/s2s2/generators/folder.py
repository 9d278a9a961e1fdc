"""Generator `folder`: images made elsewhere, several per mask, found by their file names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

from s2s2.core.types import Image
from s2s2.data.case import Case
from s2s2.data.files import image_header, in_threads, read_image
from s2s2.data.grid import resize_image, working_shape
from s2s2.errors import ConfigError, DataError, GeneratorError, listed
from s2s2.generators.base import Generator, require_training_case, unfitted

if TYPE_CHECKING:
    from s2s2.data import Dataset, Split

_FIELDS = re.compile(r"\{(case|copy)\}")


@dataclass(frozen=True, slots=True)
class FolderConfig:
    """Options of `Folder`: where the images lie and which they are.

    Args:
        path: Folder of the images.
        pattern: File name below it, `/` between folders; `{case}` stands for the case
            id, `{copy}` for a number. The copies of a case are its files in the order
            of their numbers, wherever these begin.
        source: What the images were made from: a split.json, whose training cases it
            were, or a text file with a case id a line. "" takes it on trust that it
            were the training cases of the split in use.
    """

    path: str = ""
    pattern: str = "{case}_{copy}.png"
    source: str = ""

    def __post_init__(self) -> None:
        if not self.path:
            raise ConfigError(
                "folder: path must name the folder of the images, got ''. Write folder(path='made')."
            )
        if sorted(_FIELDS.findall(self.pattern)) != ["case", "copy"] or "}{" in self.pattern:
            raise ConfigError(
                "folder: pattern must hold {case} and {copy} once each, with something between them, got "
                f"{self.pattern!r}. Write it as '{{case}}_{{copy}}.png' or '{{case}}/{{copy}}.jpg'."
            )


class Folder(Generator):
    """Shows images that another program has made of the training masks.

    Nothing is learnt and nothing is drawn: the seed changes nothing. Every file is
    checked before the first is used. One of another size is brought to the working
    grid if its sides have the case's ratio.

    Args:
        config: Where the images lie.
    """

    name = "folder"
    options: FolderConfig

    def __init__(self, config: FolderConfig) -> None:
        self.options = config
        self._dataset: Dataset | None = None
        self._files: dict[str, tuple[Path, ...]] = {}
        self._source: tuple[str, ...] = ()

    @property
    def case_ids(self) -> tuple[str, ...]:
        """The cases that the images were made from, as `source` says."""
        return self._source

    def fit(self, dataset: Dataset, split: Split) -> Self:
        """Find the images of every training case and check their size and channels.

        Raises:
            GeneratorError: If a training case has no image, or an image is of another
                shape or has other channels.
        """
        train = dataset.subset(split.train)
        files = self._find(train)
        for case in train:
            for path, fault in zip(
                files[case.id], in_threads(_Check(train, case), files[case.id]), strict=True
            ):
                if fault:
                    raise GeneratorError(f"folder: {path} cannot show case {case.id}: {fault}")
        self._dataset, self._files, self._source = train, files, self._read_source(split)
        return self

    def sample(self, case: Case, depth: int, seed: int, *, start: int = 0) -> Image:
        """Return the images `start` to `start + depth - 1` of a training case.

        Raises:
            SplitError: If it is not one.
            GeneratorError: If there are not so many.
        """
        if self._dataset is None:
            raise unfitted(self.name)
        require_training_case(case, self._files)
        files = self._files[case.id]
        if start + depth > len(files):
            raise GeneratorError(
                f"folder: {self.options.path} holds {len(files)} images of case {case.id}, asked for "
                f"{start + depth}. Ask for a depth that every case has, or make more images."
            )
        size = working_shape(self._dataset.original_shape(case), self._dataset.size)
        images = [
            resize_image(read_image(path, self._dataset.channels), size)
            for path in files[start : start + depth]
        ]
        return np.stack(images) if images else np.empty((0, self._dataset.channels, *size), np.float32)

    def _find(self, train: Dataset) -> dict[str, tuple[Path, ...]]:
        """Return the files of each training case, in the order of their numbers."""
        root = Path(self.options.path)
        if not root.is_dir():
            raise GeneratorError(f"folder: there is no folder {root}. Give the one that holds the images.")
        expression = re.escape(self.options.pattern).replace(r"\{case\}", r"(?P<case>.+)")
        named = re.compile(expression.replace(r"\{copy\}", r"(?P<copy>\d+)"))
        found: dict[str, list[tuple[int, Path]]] = {case_id: [] for case_id in train.ids}
        for path in sorted(root.rglob("*")):
            match = named.fullmatch(path.relative_to(root).as_posix())
            if match and match["case"] in found:
                found[match["case"]].append((int(match["copy"]), path))
        without = [case_id for case_id, files in found.items() if not files]
        if without:
            raise GeneratorError(
                f"folder: {len(without)} of {len(found)} training cases have no image in {root} by the "
                f"pattern {self.options.pattern!r}: {listed(without)}. Make them, or correct the pattern."
            )
        return {case_id: tuple(path for _, path in sorted(files)) for case_id, files in found.items()}

    def _read_source(self, split: Split) -> tuple[str, ...]:
        """Return the ids of the cases that the images were made from."""
        from s2s2.data.split import Split as SplitFile

        if not self.options.source:
            return split.train
        path = Path(self.options.source)
        if path.suffix == ".json":
            return SplitFile.load(path).train
        try:
            ids = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
        except (OSError, ValueError) as error:
            raise GeneratorError(
                f"folder: source {path} cannot be read ({error}). Give a split.json, or a text file with a "
                "case id a line."
            ) from error
        return tuple(dict.fromkeys(case_id for case_id in ids if case_id))


class _Check:
    """What is wrong with an image file of a case, "" if nothing is; its pixels are not decoded."""

    def __init__(self, dataset: Dataset, case: Case) -> None:
        self._channels = dataset.channels
        self._shape = dataset.original_shape(case)

    def __call__(self, path: Path) -> str:
        try:
            shape, channels, *_ = image_header(path)
        except DataError as error:
            return str(error)
        if channels != self._channels and not {channels, self._channels} <= {1, 3}:
            return f"it has {channels} channels, the case {self._channels}. Make it with as many."
        (height, width), (rows, columns) = shape, self._shape
        # Sides are whole pixels: half of one may be lost on either of the two grids.
        apart = abs(height * columns - rows * width)
        if apart > max(height, width, rows, columns):
            return (
                f"it is {height} x {width} pixels (height x width), the case {rows} x {columns}. "
                "Make it with the ratio of the case's sides; padding must be cut off."
            )
        return ""
