"""Making the copies of one case, and telling which are there already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from s2s2.data.case import Case
from s2s2.data.dataset import Dataset
from s2s2.data.storage import FORMAT, atomic
from s2s2.errors import StackError
from s2s2.stack.pages import TORN, Compression, Index, Pixels, encode, read_index, read_page
from s2s2.stack.store import case_path

if TYPE_CHECKING:
    from s2s2.generators.protocol import Generator


_MEND = "Mend its sample(); the copies made before are kept."


@dataclass(frozen=True, slots=True)
class Builder:
    """Makes the file of one case; goes to every process.

    Args:
        generator: Fitted.
        train: The training cases.
        folder: Of the stack.
        digests: Digest of each case's mask.
        seed: Seed of the copies.
        depth: Copies of each mask.
        bits: 8 or 16.
        compression: As `encode` takes it.
        fingerprint: Of the recipe; a file of another is made anew.
    """

    generator: Generator
    train: Dataset
    folder: Path
    digests: Mapping[str, str]
    seed: int
    depth: int
    bits: int
    compression: Compression
    fingerprint: str

    def whole(self, case_id: str) -> bool:
        """Return whether the file has all copies of this recipe and mask."""
        index = self._index(case_id)
        return index is not None and index.depth >= self.depth

    def make(self, case_id: str) -> None:
        """Make the copies that the file lacks; another process may have been faster."""
        if self.whole(case_id):
            return
        case = self.train.case(case_id)
        pixels = self._kept(case_id)
        start = 0 if pixels is None else len(pixels)
        copies = self.generator.sample(case, self.depth - start, self.seed, start=start)
        made = self._stored(_checked(copies, self.generator.name, case, self._shape(case), start, self.depth))
        pixels = made if pixels is None else np.concatenate([pixels, made])
        note = {
            "format": FORMAT,
            "case": case_id,
            "mask": self.digests[case_id],
            "seed": self.seed,
            "depth": self.depth,
            "recipe": self.fingerprint,
        }
        data = encode(pixels, note, compression=self.compression)
        if not self.whole(case_id):
            with atomic(case_path(self.folder, case_id)) as temporary:
                temporary.write_bytes(data)

    def _index(self, case_id: str) -> Index | None:
        """Return the pages of a file of this recipe and mask, or None."""
        try:
            index = read_index(case_path(self.folder, case_id))
        except TORN:
            return None
        ours = index.note.get("recipe"), index.note.get("mask"), index.note.get("case")
        return index if ours == (self.fingerprint, self.digests[case_id], case_id) else None

    def _kept(self, case_id: str) -> Pixels | None:
        """Return the copies that are there and can be kept."""
        index = self._index(case_id)
        if index is None:
            return None
        try:
            pages = [
                read_page(case_path(self.folder, case_id), index, number) for number in range(index.depth)
            ]
        except TORN:
            return None
        whole = [page for page in pages if page is not None]
        return np.stack(whole) if len(whole) == len(pages) else None

    def _shape(self, case: Case) -> tuple[int, ...]:
        return (self.train.channels, *self.train.mask(case).shape)

    def _stored(self, copies: npt.NDArray[np.float32]) -> Pixels:
        top = 2**self.bits - 1
        steps: Pixels = np.rint(copies * np.float32(top)).astype(np.uint8 if self.bits == 8 else np.uint16)
        return steps


def _checked(
    copies: Any, name: str, case: Case, shape: tuple[int, ...], start: int, depth: int
) -> npt.NDArray[np.float32]:
    """Return the copies as float32, or say what is wrong with the first bad one."""
    copies = np.asarray(copies)
    expected = (depth - start, *shape)
    if copies.shape != expected or copies.dtype.kind != "f":
        raise StackError(
            f"Generator {name!r} returned {copies.dtype} of shape {copies.shape} for case {case.id}, "
            f"expected floats of shape {expected} (copy, channel, height, width). {_MEND}"
        )
    for number, copy in enumerate(copies, start):
        low, high = float(copy.min()), float(copy.max())
        if not np.isfinite([low, high]).all():
            raise StackError(
                f"Generator {name!r} returned values that are not finite in copy {number} of case {case.id}, "
                f"expected numbers in [0, 1]. {_MEND}"
            )
        if low < 0 or high > 1:
            raise StackError(
                f"Generator {name!r} returned values in [{low:g}, {high:g}] in copy {number} of "
                f"case {case.id}, expected [0, 1]. {_MEND}"
            )
    finite: npt.NDArray[np.float32] = copies.astype(np.float32, copy=False)
    return finite
