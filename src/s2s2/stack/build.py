"""Building a stack: any generator, interrupted anywhere, by any number of processes."""

from __future__ import annotations

import hashlib
import json
import math
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from pickle import PicklingError
from typing import TYPE_CHECKING, Any

import torch

from s2s2.data.dataset import Dataset
from s2s2.data.split import Split
from s2s2.data.storage import read_json, write_json
from s2s2.data.streams import stream
from s2s2.data.workers import worker_environment
from s2s2.errors import ConfigError, GeneratorError, StackError
from s2s2.stack.builder import Builder
from s2s2.stack.pages import Compression
from s2s2.stack.provenance import parts_of, weights_of
from s2s2.stack.store import Stack, listed, manifest_path

if TYPE_CHECKING:
    from s2s2.generators.protocol import Generator

Progress = Callable[[int, int], None]

_RECIPE = ("generator", "seed", "size", "channels", "bits", "source")
_ABANDONED_S = 3600.0


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
    progress: Progress | None = None,
) -> Stack:
    """Make `depth` copies of every training mask, and keep what is there already.

    A file is written whole or not at all. Building again goes on where it stood:
    what is missing, torn or of a changed mask is made, the rest is kept; a larger
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
    _check_options(depth, bits, jobs, compression, shard)
    split.check(dataset)
    folder, train = Path(path), dataset.subset(split.train)
    existing = Stack.open(folder) if manifest_path(folder).exists() else None
    recipe = _recipe(generator, dataset, seed, bits)
    _check_recipe(existing, recipe)
    before = existing.depth if existing else 0
    depth = max(depth, before)
    if existing is None:
        _fit(generator, dataset, split, folder, shard)
    weights = existing.manifest.get("weights", "") if existing else weights_of(generator)
    digests = {case.id: train.mask_digest(case) for case in train}
    fingerprint = _fingerprint(recipe, weights)
    builder = Builder(generator, train, folder, digests, seed, depth, bits, compression, fingerprint)
    groups = _groups(generator, train.ids, depth - (before if before < depth else 0), shard)
    missing = [group for group in groups if not all(map(builder.whole, group))]
    if missing:
        _fit(generator, dataset, split, folder, shard)
        _check_weights(folder, weights, weights_of(generator))
    recipe["source"] = sorted(generator.case_ids) or (existing.manifest["source"] if existing else [])
    _check_source(generator.name, recipe["source"], split)
    _check_recipe(existing, recipe)
    recipe["weights"] = weights
    _sweep(folder)
    # Until all is made, an existing stack keeps its depth, so that it can be used as it is.
    _write_manifest(folder, recipe, digests, generator, before or depth)
    _make(builder, missing, sum(map(len, groups)), jobs, progress)
    if all(map(builder.whole, train.ids)):
        _write_manifest(folder, recipe, digests, generator, depth)
    return Stack.open(folder)


def _fit(
    generator: Generator, dataset: Dataset, split: Split, folder: Path, shard: tuple[int, int] | None
) -> None:
    """Fit the generator where it is not; its weights lie beside the stack unless it was told where."""
    if generator.case_ids:
        return
    place = getattr(generator, "place", None)
    if place is not None and getattr(generator, "folder", None) is None:
        place(folder / "generator")
    if shard is not None and not getattr(generator, "tuned", True):
        raise GeneratorError(
            f"Generator {generator.name!r} is not tuned yet, and {shard[1]} processes would each begin to. "
            "Tune it first with `s2s2 tune`, then start the shards."
        )
    generator.fit(dataset, split)


def _groups(
    generator: Generator, ids: Sequence[str], copies: int, shard: tuple[int, int] | None
) -> list[tuple[str, ...]]:
    """Return the cases that are made together, those of this shard.

    They are cut from the order of the training cases, so they are the same in every
    build, whole, resumed or sharded.
    """
    size = max(1, math.ceil(int(getattr(generator, "batch", 1)) / copies))
    groups = [tuple(ids[place : place + size]) for place in range(0, len(ids), size)]
    return groups if shard is None else groups[shard[0] - 1 :: shard[1]]


def _recipe(generator: Generator, dataset: Dataset, seed: int, bits: int) -> dict[str, Any]:
    """Return all that the copies depend on but the data, as JSON gives it back."""
    made_by = {"name": generator.name, "config": generator.config()}
    recipe: dict[str, Any] = {
        "generator": json.loads(json.dumps(made_by, default=str)),
        "seed": seed,
        "size": dataset.size,
        "channels": dataset.channels,
        "bits": bits,
    }
    return recipe


def _make(
    builder: Builder, missing: Sequence[tuple[str, ...]], total: int, jobs: int, progress: Progress | None
) -> None:
    """Make the missing groups, in an order of this process's own, so that two builders share the work."""
    done = total - sum(map(len, missing))
    report: Progress = progress or (lambda done, total: None)
    report(done, total)
    order = [missing[place] for place in stream(os.getpid(), "order").permutation(len(missing))]
    for group in _finished(builder, order, min(jobs, len(order))):
        done += len(group)
        report(done, total)


def _finished(builder: Builder, order: Sequence[tuple[str, ...]], jobs: int) -> Iterator[tuple[str, ...]]:
    """Yield each group when its files are there."""
    if jobs <= 1:
        for group in order:
            builder.make(group)
            yield group
        return
    with (
        worker_environment(threads=1),
        ProcessPoolExecutor(jobs, get_context("spawn"), _start, (builder,)) as pool,
    ):
        with _sent(builder):
            futures = {pool.submit(_work, group): group for group in order}
        try:
            for future in as_completed(futures):
                future.result()
                yield futures[future]
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


_process: dict[str, Builder] = {}


@contextmanager
def _sent(builder: Builder) -> Iterator[None]:
    """Say what is wrong when the workers, which start now, cannot be given the builder."""
    try:
        yield
    except (PicklingError, AttributeError, TypeError) as error:
        raise StackError(
            f"Generator {builder.generator.name!r} cannot be sent to another process ({error}). "
            "Build with one job, or keep open files, locks and functions made on the spot out of it."
        ) from error


def _start(builder: Builder) -> None:
    torch.set_num_threads(1)
    _process["builder"] = builder


def _work(group: tuple[str, ...]) -> None:
    _process["builder"].make(group)


def _check_options(depth: int, bits: int, jobs: int, compression: str, shard: tuple[int, int] | None) -> None:
    if depth < 1 or jobs < 1:
        raise ConfigError(f"depth and jobs must be at least 1, got depth {depth} and jobs {jobs}.")
    if bits not in (8, 16):
        raise ConfigError(
            f"bits must be 8 or 16, got {bits}. Take 16 for images of more than 256 grey levels."
        )
    if compression not in ("zstd", "deflate"):
        raise ConfigError(f'compression must be "zstd" or "deflate", got {compression!r}.')
    if shard is not None and not 1 <= shard[0] <= shard[1]:
        raise ConfigError(f"shard must be a number from 1 on and how many there are, got {shard}.")


def _check_recipe(existing: Stack | None, recipe: Mapping[str, Any]) -> None:
    """Refuse to mix the copies of two recipes in one folder."""
    if existing is None:
        return
    for field in _RECIPE:
        if field in recipe and existing.manifest[field] != recipe[field]:
            raise StackError(
                f"{existing.path} holds a stack with {field} {_short(existing.manifest[field])}, "
                f"asked for {_short(recipe[field])}. Choose another folder, or remove this one."
            )


def _check_source(name: str, source: list[str], split: Split) -> None:
    others = sorted(set(source) - set(split.train))
    if others:
        raise StackError(
            f"Generator {name!r} was fitted on {len(others)} cases that are not training cases: "
            f"{listed(others)}. Fit it on this split: what it saw must not be validated or tested on."
        )


def _check_weights(folder: Path, before: str, now: str) -> None:
    if before != now:
        raise StackError(
            f"{folder} holds copies made with the weights {before or 'of nothing tuned'}, the generator has "
            f"{now or 'none'} now: it was tuned again. Choose another folder, or remove this one."
        )


def _write_manifest(
    folder: Path, recipe: Mapping[str, Any], digests: Mapping[str, str], generator: Generator, depth: int
) -> None:
    path = manifest_path(folder)
    existing = read_json(path, error=StackError) if path.exists() else {}
    software = {
        name: version(name) for name in ("s2s2", "numpy", "torch", "tifffile", "imagecodecs", "zstandard")
    }
    cases = {case_id: {"mask": digest} for case_id, digest in digests.items()}
    content = {**recipe, "depth": depth, "parts": parts_of(generator, depth), "cases": cases}
    if any(existing.get(name) != value for name, value in content.items()):
        write_json(path, {**content, "software": software})


def _sweep(folder: Path) -> None:
    """Remove temporary files that a killed builder left an hour ago or earlier."""
    for leftover in (folder / "copies").glob(".*.part.tif"):
        with suppress(OSError):
            if time.time() - leftover.stat().st_mtime > _ABANDONED_S:
                leftover.unlink()


def _fingerprint(recipe: Mapping[str, Any], weights: str) -> str:
    known = {**recipe, **({"weights": weights} if weights else {})}
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()[:16]


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 160 else text[:157] + "..."
