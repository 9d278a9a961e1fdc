"""The semantic stack on disk: a manifest and one multi-page TIFF per case."""

from __future__ import annotations

import copy
import operator
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, SupportsIndex

import numpy as np

from s2s2.core.names import file_name
from s2s2.core.records import Record
from s2s2.core.storage import read_json, refuse_links
from s2s2.core.types import Image, RawPixels, Region
from s2s2.data.dataset import Dataset
from s2s2.data.identity import changed, digests_of
from s2s2.data.split import Split
from s2s2.errors import StackError, listed
from s2s2.stack.marks import (
    Marks,
    has_marks,
    merged,
    noted_faults,
    read_disagreement,
    read_marks,
    write_disagreement,
    write_marks,
)
from s2s2.stack.pages import CORRUPT, Index, read_index, read_page
from s2s2.stack.provenance import Manifest, parts_in, recipe_in

BUILT = "built.json"
_RESTORE = "Restore it, or make it again by the same `s2s2 stack`; if it was meant, delete built.json."


def manifest_path(folder: Path) -> Path:
    """Return where the manifest of a stack lies."""
    return folder / "manifest.json"


def case_path(folder: Path, case_id: str) -> Path:
    """Return the file of a case's copies; any case id gives a name that disks allow.

    Example:
        >>> case_path(Path("stack"), "patient 1/left").name
        'patient%201%2Fleft.tif'
    """
    return folder / "copies" / f"{file_name(case_id)}.tif"


class Stack:
    """All synthetic images of the training masks: `depth` copies of each.

    Each copy is read alone: where the pages of a file lie is read once and kept. A stack may
    be pickled and read from any number of processes.

    Args:
        path: Folder of the stack.
        manifest: Content of its manifest.json.
    """

    def __init__(self, path: Path, manifest: dict[str, Any]) -> None:
        self.path = path
        self._manifest = manifest
        self._indices: dict[str, Index] = {}

    @classmethod
    def open(cls, path: str | Path) -> Stack:
        """Open a stack.

        Raises:
            StackError: If the folder or its manifest is missing, corrupt or of another format.
        """
        path = Path(path)
        refuse_links(path, error=StackError)
        if not manifest_path(path).is_file():
            raise StackError(
                f"There is no stack at {path}: it has no manifest.json. "
                "Build one with `s2s2 stack`, or give the folder of another."
            )
        return cls(path, read_json(manifest_path(path), error=StackError, shape=Manifest))

    @property
    def depth(self) -> int:
        """Number of copies of each mask."""
        return int(self._manifest["depth"])

    @property
    def size(self) -> int | None:
        """Longer side of the working grid in pixels, None for the files' own grid."""
        size = self._manifest["size"]
        return None if size is None else int(size)

    @property
    def channels(self) -> int:
        """Number of channels of a copy."""
        return int(self._manifest["channels"])

    @property
    def ids(self) -> tuple[str, ...]:
        """The case ids, in the order of the manifest."""
        return tuple(self._manifest["cases"])

    @property
    def manifest(self) -> dict[str, Any]:
        """What the stack was made from, as plain JSON values; a copy."""
        return copy.deepcopy(self._manifest)

    @property
    def parts(self) -> list[dict[str, Any]]:
        """The generators that share the copies: name, config, traits and the numbers of their copies."""
        return parts_in(self._manifest)

    @property
    def recipe(self) -> dict[str, Any]:
        """All that makes a copy what it is by name; a larger depth leaves it as it is."""
        return recipe_in(self._manifest)

    @property
    def faults(self) -> Marks:
        """The copies that came out broken and were marked when they were made ("constant", "nan")."""
        there = [case_id for case_id in self.ids if case_path(self.path, case_id).exists()]
        return merged([{case_id: noted_faults(self._index(case_id).note) for case_id in there}])

    @property
    def marks(self) -> Marks:
        """The copies that are marked, and why: what an audit found, and the faults.

        Raises:
            StackError: If the marks are corrupt, or of another state of the stack.
        """
        return merged([self.faults, read_marks(self.path, self.recipe)])

    @property
    def has_marks(self) -> bool:
        """Whether an audit of this state of the stack has left its marks, and they were not altered since."""
        return has_marks(self.path, self.recipe)

    def write_marks(self, marks: Mapping[str, Mapping[int, Sequence[str]]]) -> None:
        """Replace the marks of an audit; the faults stay.

        Args:
            marks: Reasons ("unfaithful", "memorised", "constant", "nan") by case id and
                number of the copy.

        Raises:
            StackError: If there is no such case, copy or reason.
        """
        for case_id, copies in marks.items():
            self._require(case_id, *copies)
        write_marks(self.path, self.recipe, marks)

    def write_disagreement(self, case_id: str, maps: Region) -> None:
        """Write where the copies of a case disagree with its mask, shape (depth, height, width)."""
        self._require(case_id, len(maps) - 1)
        write_disagreement(self.path, case_id, maps)

    def disagreement(self, case_id: str, number: int) -> Region | None:
        """Return where a copy disagrees with its mask, shape (height, width), None where not audited.

        Raises:
            StackError: If there is no such copy, or the file is corrupt.
        """
        self._require(case_id, number)
        return read_disagreement(self.path, case_id, number)

    def __len__(self) -> int:
        return len(self._manifest["cases"])

    def __repr__(self) -> str:
        return f"Stack({str(self.path)!r}, cases={len(self)}, depth={self.depth})"

    def copy(self, case_id: str, number: SupportsIndex) -> Image:
        """Read one synthetic image; no other copy is read or decoded.

        Args:
            case_id: The case whose mask the image shows.
            number: Which copy, 0 to depth - 1.

        Returns:
            Shape (channel, height, width) on the working grid, values in [0, 1].

        Raises:
            StackError: If there is no such case or copy, or its file is missing or corrupt.
        """
        self._require(case_id, number := operator.index(number))
        pixels = self._read(case_id, number)
        top = np.float32(np.iinfo(pixels.dtype).max)
        return np.divide(pixels, top, dtype=np.float32)

    def verify(self, dataset: Dataset) -> None:
        """Refuse a stack that does not belong to these training cases.

        Args:
            dataset: The training cases, and no others, on the working grid.

        Raises:
            StackError: If grid or channels differ, a case is missing, its mask has
                changed since, its file is missing, corrupt or altered since it was made, or the
                generator has seen a case that is not among these.
        """
        self._check_grid(dataset)
        self._check_source(dataset.ids, str(dataset.root))
        missing = [case_id for case_id in dataset.ids if case_id not in self._manifest["cases"]]
        if missing:
            raise StackError(
                f"The stack {self.path} lacks {len(missing)} of {len(dataset)} training cases: "
                f"{listed(missing)}. It was built for another split: build one for this split."
            )
        found = changed(self._manifest["cases"], digests_of(dataset))
        for what in sorted(set(found.values())):
            cases = [case_id for case_id, names in found.items() if names == what]
            raise StackError(
                f"The {what}s of {len(cases)} cases are not those that the stack {self.path} was built for: "
                f"{listed(cases)}. Its copies show the old ones: make them again by the same `s2s2 stack`."
            )
        for case_id in dataset.ids:
            if self._index(case_id).depth < self.depth:
                raise self._unreadable(
                    case_id, f"it holds {self._index(case_id).depth} of {self.depth} copies"
                )
        Record(self.path / BUILT, {}, error=StackError).require_whole(_RESTORE)

    def check_against(self, dataset: Dataset, split: Split) -> None:
        """Refuse a stack that does not belong to the training part of a split.

        Raises:
            StackError: As `verify`.
            SplitError: If the split does not belong to the data set.
        """
        split.check(dataset)
        self.verify(dataset.subset(split.train))

    def _require(self, case_id: str, *numbers: int) -> None:
        """Refuse a case or a copy that the stack does not have."""
        if case_id not in self._manifest["cases"]:
            raise StackError(
                f"The stack {self.path} has no case {case_id!r} among its {len(self)}. It holds training "
                "cases only: give one of them, or build the stack for the split that has this case."
            )
        for number in [number for number in numbers if not 0 <= number < self.depth]:
            raise StackError(
                f"The stack {self.path} has no copy {number}: its depth is {self.depth}, so copies are 0 to "
                f"{self.depth - 1}. Ask for one of these, or build it deeper with `s2s2 stack --depth`."
            )

    def _read(self, case_id: str, number: int) -> RawPixels:
        """Read a page; once more when another process has replaced the file since its index was read."""
        path = case_path(self.path, case_id)
        for _ in range(2):
            index = self._index(case_id)
            try:
                pixels = read_page(path, index, number)
            except CORRUPT as error:
                raise self._unreadable(case_id, str(error)) from error
            if pixels is not None:
                return pixels
            del self._indices[case_id]
        raise self._unreadable(case_id, "another process keeps replacing it")

    def _index(self, case_id: str) -> Index:
        """Return where the copies of a case lie in its file, read once."""
        index = self._indices.get(case_id)
        if index is not None:
            return index
        try:
            index = read_index(case_path(self.path, case_id))
        except CORRUPT as error:
            raise self._unreadable(case_id, str(error)) from error
        self._indices[case_id] = index
        return index

    def _unreadable(self, case_id: str, cause: str) -> StackError:
        path = case_path(self.path, case_id)
        state = "is corrupt" if path.exists() else "is missing"
        return StackError(
            f"The copies of case {case_id} cannot be read: {path} {state} ({cause}). "
            "Run `s2s2 stack` again with the same options: it makes what is missing and keeps the rest."
        )

    def _check_grid(self, dataset: Dataset) -> None:
        mine, theirs = (self.size, self.channels), (dataset.size, dataset.channels)
        if mine != theirs:
            raise StackError(
                f"The stack {self.path} has size {mine[0]} and {mine[1]} channels, the images of "
                f"{dataset.root} are read with size {theirs[0]} and {theirs[1]} channels. "
                "Read them alike, or build another stack."
            )

    def _check_source(self, ids: tuple[str, ...], where: str) -> None:
        others = sorted(set(self._manifest["source"]) - set(ids))
        if others:
            raise StackError(
                f"The stack {self.path} was made from {len(others)} cases that are not training cases of "
                f"{where}: {listed(others)}. What its generator saw must not be validated or tested on: "
                "build a stack for this split."
            )
