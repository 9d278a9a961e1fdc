"""Builder of the files of a stack: makes the copies that are missing, in one process or several."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from pickle import PicklingError
from typing import TYPE_CHECKING, Any

import numpy as np

from s2s2.core.progress import Count
from s2s2.core.storage import FORMAT, atomic
from s2s2.core.streams import stream
from s2s2.core.types import Image, RawPixels
from s2s2.core.workers import finished
from s2s2.data.case import Case
from s2s2.data.checking.defects import defect_of
from s2s2.data.dataset import Dataset
from s2s2.errors import StackError
from s2s2.stack.pages import CORRUPT, Compression, Index, encode, read_index, read_page
from s2s2.stack.store import case_path

if TYPE_CHECKING:
    from s2s2.generators.base import Generator


_FIX = "Fix its sample(); the copies made before are kept."


@dataclass(frozen=True, slots=True)
class Builder:
    """Makes the files of cases; goes to every process.

    Args:
        generator: Fitted.
        train: The training cases.
        folder: Of the stack.
        digests: Digest of each case's mask.
        seed: Seed of the copies.
        depth: Copies of each mask.
        bits: 8 or 16.
        compression: As `encode` takes it.
        fingerprint: Of the recipe; a file of another is made again.
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

    def make(self, group: Sequence[str]) -> None:
        """Make the copies that the files of these cases lack; another process may have been faster.

        What is made together is always the whole group, so that a case whose file was
        lost gets the bytes that it had.
        """
        kept = {case_id: self._kept(case_id) for case_id in group if not self.whole(case_id)}
        # Another process may have finished a file between the two looks at it.
        kept = {case_id: there for case_id, there in kept.items() if len(there[0]) < self.depth}
        cases = [self.train.case(case_id) for case_id in group]
        for start in sorted({len(pixels) for pixels, _ in kept.values()}):
            made = self.generator.sample_batch(cases, self.depth - start, self.seed, start=start)
            for case, copies in zip(cases, made, strict=True):
                if case.id in kept and len(kept[case.id][0]) == start:
                    self._write(case, copies, *kept[case.id])

    def _write(self, case: Case, copies: Any, kept: RawPixels, faults: Mapping[str, str]) -> None:
        """Write the file of a case: the copies that were kept, and these."""
        name, start = self.generator.name, len(kept)
        images = _formed(copies, name, case, (self.depth - start, *self._shape(case)))
        found = dict(faults)
        for number, image in enumerate(images, start):
            # What a network makes may fail; what is made of real pixels fails by a fault of the program.
            if not self.generator.is_exact(number) and (fault := defect_of(image)):
                image[~np.isfinite(image)] = 0
                found[str(number)] = fault
            _check(image, name, case, number)
        note = {
            "format": FORMAT,
            "case": case.id,
            "mask": self.digests[case.id],
            "seed": self.seed,
            "depth": self.depth,
            "recipe": self.fingerprint,
            **({"faults": found} if found else {}),
        }
        data = encode(np.concatenate([kept, self._stored(images)]), note, compression=self.compression)
        if not self.whole(case.id):
            with atomic(case_path(self.folder, case.id)) as temporary:
                temporary.write_bytes(data)

    def _index(self, case_id: str) -> Index | None:
        """Return the pages of a file of this recipe and mask, or None."""
        try:
            index = read_index(case_path(self.folder, case_id))
        except CORRUPT:
            return None
        ours = index.note.get("recipe"), index.note.get("mask"), index.note.get("case")
        return index if ours == (self.fingerprint, self.digests[case_id], case_id) else None

    def _kept(self, case_id: str) -> tuple[RawPixels, dict[str, str]]:
        """Return the copies that are there and can be kept, and their faults."""
        none = self._stored(np.empty((0, *self._shape(self.train.case(case_id))), np.float32))
        index = self._index(case_id)
        if index is None:
            return none, {}
        try:
            pages = [
                read_page(case_path(self.folder, case_id), index, number) for number in range(index.depth)
            ]
        except CORRUPT:
            return none, {}
        whole = [page for page in pages if page is not None]
        return (np.stack(whole), index.note.get("faults", {})) if len(whole) == len(pages) else (none, {})

    def _shape(self, case: Case) -> tuple[int, ...]:
        return (self.train.channels, *self.train.mask(case).shape)

    def _stored(self, copies: Image) -> RawPixels:
        top = 2**self.bits - 1
        steps: RawPixels = np.rint(copies * np.float32(top)).astype(np.uint8 if self.bits == 8 else np.uint16)
        return steps


def _formed(copies: Any, name: str, case: Case, expected: tuple[int, ...]) -> Image:
    """Return the copies as float32, or say that they are no images of the right shape."""
    copies = np.asarray(copies)
    if copies.shape != expected or copies.dtype.kind != "f":
        raise StackError(
            f"Generator {name!r} returned {copies.dtype} of shape {copies.shape} for case {case.id}, "
            f"expected floats of shape {expected} (copy, channel, height, width). {_FIX}"
        )
    # A copy: a broken image is fixed in place, and the generator may hold on to what it returned.
    images: Image = copies.astype(np.float32)
    return images


def _check(image: Image, name: str, case: Case, number: int) -> None:
    """Say what is wrong with an image whose values are not in [0, 1]."""
    low, high = float(image.min()), float(image.max())
    if not np.isfinite([low, high]).all():
        raise StackError(
            f"Generator {name!r} returned values that are not finite in copy {number} of case {case.id}, "
            f"expected numbers in [0, 1]. {_FIX}"
        )
    if low < 0 or high > 1:
        raise StackError(
            f"Generator {name!r} returned values in [{low:g}, {high:g}] in copy {number} of "
            f"case {case.id}, expected [0, 1]. {_FIX}"
        )


def make_files(
    builder: Builder, missing: Sequence[tuple[str, ...]], total: int, jobs: int, progress: Count | None
) -> None:
    """Make the missing groups, in an order of this process's own, so that two builders share the work.

    Raises:
        StackError: If the generator cannot be sent to another process.
    """
    done = total - sum(map(len, missing))
    report: Count = progress or (lambda done, total: None)
    report(done, total)
    order = [missing[index] for index in stream(os.getpid(), "order").permutation(len(missing))]
    try:
        for position, _ in finished(builder.make, order, jobs=min(jobs, len(order)), threads=1):
            done += len(order[position])
            report(done, total)
    except PicklingError as error:
        raise StackError(
            f"Generator {builder.generator.name!r} cannot be sent to another process ({error}). "
            "Build with one job, or keep open files, locks and functions made on the spot out of it."
        ) from error
