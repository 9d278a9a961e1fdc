"""Build of a stack: by any generator, interrupted anywhere, in any number of processes."""

from __future__ import annotations

import math
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from s2s2.core.apart import require_apart
from s2s2.core.progress import Count
from s2s2.core.storage import ABANDONED_S, refuse_links, remove_leftovers, storage_errors
from s2s2.data.dataset import Dataset
from s2s2.data.identity import changed, digests_of, mask_digest
from s2s2.data.split import Split
from s2s2.errors import ConfigError, GeneratorError, StackError
from s2s2.stack.builder import Builder, make_files
from s2s2.stack.built import built_record, note_built, remove_altered
from s2s2.stack.pages import Compression
from s2s2.stack.recipe import check_recipe, check_source, fingerprint_of, recipe_of, write_manifest
from s2s2.stack.store import BUILT, Stack, manifest_path

if TYPE_CHECKING:
    from s2s2.generators.base import Generator


def build_stack(
    generator: Generator,
    dataset: Dataset,
    split: Split,
    path: str | Path,
    *,
    depth: int,
    seed: int,
    bits: int = 8,
    jobs: int = 1,
    compression: Compression = "zstd",
    shard: tuple[int, int] | None = None,
    progress: Count | None = None,
) -> Stack:
    """Make `depth` copies of every training mask, and keep what is there already.

    A file is written whole or not at all. Building again goes on where it stood:
    what is missing or corrupt is made, the rest is kept, and all is made again where an image
    or a mask has changed, since the generator learns from all of them; a larger
    depth adds copies behind those there are, a smaller one changes nothing. Two
    processes may build one stack; each takes the cases in an order of its own.

    A generator that learns keeps its weights in the stack's folder `generator`, unless
    it was placed elsewhere. A copy of it that is of one colour or holds values that
    are no numbers is stored and marked (`Stack.faults`).

    Args:
        generator: Fitted here on the training cases, unless it is already or nothing is to be made.
        dataset: All cases, on the working grid.
        split: Copies are made of its training cases.
        path: Folder of the stack; it is made where it is missing.
        depth: Copies of each mask, at least 1.
        seed: Seed of the copies.
        bits: Bits that a channel is stored with, 8 or 16.
        jobs: Processes, each of one thread; the generator must then be picklable.
        compression: "zstd", or "deflate" for viewers that do not know it.
        shard: (k, n) makes the k-th of n shares of the cases, k from 1 on; any share may
            be made again, and after the last one the stack is whole.
        progress: Called with the number of finished cases and of all, those of the shard.

    Raises:
        StackError: If the folder holds a stack of another recipe, or the generator has seen
            other cases or returns anything but images of the right shape in [0, 1].
        StorageError: If the disk is full or read-only; finished cases are kept.
        GeneratorError: If a shard is asked of a generator that is not tuned yet, or it cannot be used.
        ConfigError: If an option cannot be used.
        SplitError: If the split does not belong to the data set.
    """
    refuse_links(path, error=StackError)
    order = _Order(depth, seed, bits, jobs, compression, shard)
    made = [Path(part.config()["path"]) for part in generator.parts if part.config().get("path")]
    require_apart(Path(path), made)
    split.check(dataset)
    return _build(generator, dataset, split, Path(path), order, progress)


@dataclass(frozen=True, slots=True)
class _Order:
    """What is asked for."""

    depth: int
    seed: int
    bits: int
    jobs: int
    compression: Compression
    shard: tuple[int, int] | None

    def __post_init__(self) -> None:
        if self.depth < 1 or self.jobs < 1:
            raise ConfigError(
                f"depth and jobs must be at least 1, got depth {self.depth} and jobs {self.jobs}."
            )
        if self.bits not in (8, 16):
            raise ConfigError(
                f"bits must be 8 or 16, got {self.bits}. Take 16 for images of more than 256 grey levels."
            )
        if self.compression not in ("zstd", "deflate"):
            raise ConfigError(f'compression must be "zstd" or "deflate", got {self.compression!r}.')
        if self.shard is not None and not 1 <= self.shard[0] <= self.shard[1]:
            raise ConfigError(f"shard must be a number from 1 on and how many there are, got {self.shard}.")

    def groups(self, generator: Generator, ids: Sequence[str], copies: int) -> list[tuple[str, ...]]:
        """Return the cases that are made together, those of this shard.

        They are cut from the order of the training cases, so they are the same in every
        build, whole, resumed or sharded.
        """
        size = max(1, math.ceil(generator.batch / copies))
        groups = [tuple(ids[place : place + size]) for place in range(0, len(ids), size)]
        return groups if self.shard is None else groups[self.shard[0] - 1 :: self.shard[1]]


def _build(
    generator: Generator,
    dataset: Dataset,
    split: Split,
    folder: Path,
    order: _Order,
    progress: Count | None,
) -> Stack:
    """Make what is missing."""
    train = dataset.subset(split.train)
    cases = digests_of(train)
    record = built_record(folder, recipe_of(generator, dataset, order.seed, order.bits))
    remove_altered(record)
    existing = Stack.open(folder) if manifest_path(folder).exists() else None
    if existing and changed(existing.manifest["cases"], cases):
        check_recipe(existing, recipe_of(generator, dataset, order.seed, order.bits))
        _discard(folder)
        existing = None
    recipe = recipe_of(generator, dataset, order.seed, order.bits)
    check_recipe(existing, recipe)
    if existing is None:
        _fit(generator, dataset, split, folder, order.shard)
    before = existing.depth if existing else 0
    weights = existing.manifest.get("weights", "") if existing else generator.weights
    builder = _builder(generator, train, folder, order, before, fingerprint_of(recipe, weights))
    groups = order.groups(generator, split.train, builder.depth - (before if before < builder.depth else 0))
    missing = [group for group in groups if not all(map(builder.whole, group))]
    if missing:
        _fit(generator, dataset, split, folder, order.shard)
    recipe["weights"] = generator.weights if missing else weights
    recipe["source"] = sorted(generator.case_ids) or (existing.manifest["source"] if existing else [])
    check_source(generator.name, recipe["source"], split)
    check_recipe(existing, recipe)
    remove_leftovers(folder / "copies", older_than_s=ABANDONED_S)
    if missing:
        record.begin()
    # Until all is made, an existing stack keeps its depth, so that it can be used as it is.
    write_manifest(folder, recipe, cases, generator, before or builder.depth)
    make_files(builder, missing, sum(map(len, groups)), order.jobs, progress)
    if all(map(builder.whole, split.train)):
        write_manifest(folder, recipe, cases, generator, builder.depth)
        note_built(record, split.train)
    return Stack.open(folder)


def _builder(
    generator: Generator, train: Dataset, folder: Path, order: _Order, before: int, fingerprint: str
) -> Builder:
    return Builder(
        generator=generator,
        train=train,
        folder=folder,
        digests={case.id: mask_digest(train, case) for case in train},
        seed=order.seed,
        depth=max(order.depth, before),
        bits=order.bits,
        compression=order.compression,
        fingerprint=fingerprint,
    )


def _fit(
    generator: Generator, dataset: Dataset, split: Split, folder: Path, shard: tuple[int, int] | None
) -> None:
    """Fit the generator where it is not; its weights lie beside the stack unless it was placed."""
    if generator.case_ids:
        return
    if any(part.folder is None for part in generator.learners):
        generator.place(folder / "generator")
    if shard is not None and not generator.tuned:
        raise GeneratorError(
            f"Generator {generator.name!r} is not tuned yet, and {shard[1]} processes would each begin to. "
            "Tune it first with `s2s2 tune`, then start the shards."
        )
    generator.fit(dataset, split)


def _discard(folder: Path) -> None:
    """Remove the copies of data that have changed: any may show what the generator took from any case."""
    with storage_errors(folder):
        (folder / BUILT).unlink(missing_ok=True)
        shutil.rmtree(folder / "copies", ignore_errors=True)
        manifest_path(folder).unlink()
