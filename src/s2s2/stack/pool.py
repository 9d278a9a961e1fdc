"""The processes that make a stack's files: this one, or several."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from multiprocessing import get_context
from pickle import PicklingError

import torch

from s2s2.core.progress import Count
from s2s2.core.streams import stream
from s2s2.core.workers import worker_environment
from s2s2.errors import StackError
from s2s2.stack.builder import Builder


def make_files(
    builder: Builder, missing: Sequence[tuple[str, ...]], total: int, jobs: int, progress: Count | None
) -> None:
    """Make the missing groups, in an order of this process's own, so that two builders share the work."""
    done = total - sum(map(len, missing))
    report: Count = progress or (lambda done, total: None)
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
