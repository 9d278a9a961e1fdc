"""Worker processes: tasks done side by side, each process with threads of its own."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing import get_context
from pickle import PicklingError
from types import FrameType
from typing import Any, TypeVar

from s2s2.core.progress import Progress
from s2s2.core.signals import Terminated, end_with_parent, spared_children

Task = TypeVar("Task")
Result = TypeVar("Result")

_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
_RANKS = (("RANK",), ("LOCAL_RANK", "NODE_RANK"), ("SLURM_PROCID",), ("JSM_NAMESPACE_RANK",))
"""Variables that hold the rank of a process; the first group of which any is set decides, as in Lightning."""
_ASKED_S = 1.5
"""How long a process that was asked to stop may take to put its files in order."""
_LISTENED_S = 60.0
"""Longest wait for reports after the last process; longer only where one of its own children lives on."""


def is_first() -> bool:
    """Return whether this process is the first of those that learn together, or learns alone.

    The others are copies of the same command, started by Lightning, torchrun or a cluster, which
    give each its rank in the environment.
    """
    for names in _RANKS:
        if ranks := [os.environ[name] for name in names if name in os.environ]:
            return set(ranks) == {"0"}
    return True


@contextmanager
def worker_environment(threads: int) -> Iterator[None]:
    """Let processes that start within use so many threads, whatever numeric library they load.

    Libraries read these variables once, when they are loaded: a process that lowers its
    number of threads later still pays for the idle ones, which cost a training on two
    cores a quarter of its speed.

    Args:
        threads: Threads for each process, 1 or more.

    Example:
        >>> with worker_environment(threads=1):
        ...     os.environ["OMP_NUM_THREADS"]
        '1'
    """
    # Large pages spare a network on a CPU some 5 % of its time; torch reads this when it starts.
    wanted = {**dict.fromkeys(_THREADS, str(threads)), "THP_MEM_ALLOC_ENABLE": "1"}
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name)
            else:
                os.environ[name] = value


def default_jobs(tasks: int) -> int:
    """One task a core on a CPU, where one network cannot fill two; one in all on a GPU."""
    import torch

    return 1 if torch.cuda.is_available() else max(1, min(tasks, os.cpu_count() or 1))


def finished(
    work: Callable[[Task], Result], tasks: Sequence[Task], *, jobs: int, threads: int
) -> Iterator[tuple[int, Result]]:
    """Do every task, `jobs` of them at once, and yield its position and result when it is done.

    Args:
        work: Does a task. It is sent to each process once, so it and the tasks are picklable.
        tasks: What is to be done.
        jobs: Processes; with 1 or less all is done in this one.
        threads: Of each process.

    Raises:
        PicklingError: If the work cannot be sent to another process.
        Exception: The first one of a task; those that run are finished first, so that nothing
            they made is lost.
    """
    if jobs <= 1:
        yield from ((position, work(task)) for position, task in enumerate(tasks))
        return
    with (
        worker_environment(threads),
        ProcessPoolExecutor(jobs, get_context("spawn"), _start, (work,)) as pool,
    ):
        try:
            try:
                with spared_children():
                    futures = {pool.submit(_do, task): position for position, task in enumerate(tasks)}
            except (AttributeError, TypeError) as error:  # what pickle raises besides its own
                raise PicklingError(str(error)) from error
            for future in as_completed(futures):
                yield futures[future], future.result()
        except Exception:
            pool.shutdown(cancel_futures=True)
            raise
        except BaseException:  # Ctrl-C, SIGTERM, or nobody wants the rest
            _stop(pool)
            raise


def _stop(pool: ProcessPoolExecutor) -> None:
    """End the processes of a pool: ask them to, and kill those that do not."""
    processes = list((pool._processes or {}).values())
    pool.shutdown(wait=False, cancel_futures=True)
    for process in processes:
        process.terminate()
    until = time.monotonic() + _ASKED_S
    for process in processes:
        process.join(max(0.0, until - time.monotonic()))
        process.kill()


def side_by_side(
    work: Callable[[Task, Progress], Result],
    tasks: Sequence[Task],
    progress: Sequence[Progress],
    *,
    jobs: int,
    threads: int,
) -> list[Result]:
    """Do every task, `jobs` of them at once, and return the results in order.

    Args:
        work: Does a task; at module level, and tasks picklable, since it goes to processes.
        tasks: What is to be done.
        progress: What each task reports to, called in this process.
        jobs: Processes; with 1 all is done in this one.
        threads: Of each process.

    Raises:
        Exception: As `finished`.
    """
    if jobs <= 1:
        return [work(task, report) for task, report in zip(tasks, progress, strict=True)]
    # The pipe ends when the last process does, so that every report is heard before this returns.
    context = get_context("spawn")
    reader, writer = context.Pipe(duplex=False)
    listener = threading.Thread(target=_listen, args=(reader, progress), daemon=True)
    listener.start()
    try:
        reporting = partial(_reporting, work, writer, context.Lock())
        done = finished(reporting, list(enumerate(tasks)), jobs=jobs, threads=threads)
        return [result for _, result in sorted(done, key=lambda pair: pair[0])]
    finally:
        writer.close()
        listener.join(_LISTENED_S)


def _listen(reader: Any, progress: Sequence[Progress]) -> None:
    """Hand on what the processes report."""
    with suppress(EOFError, OSError):
        while True:
            number, *words = reader.recv()
            progress[number](*words)


def _reporting(
    work: Callable[[Task, Progress], Result], writer: Any, lock: Any, numbered: tuple[int, Task]
) -> Result:
    number, task = numbered

    def report(done: int, total: int, words: str) -> None:
        with lock:
            writer.send((number, done, total, words))

    return work(task, report)


_process: dict[str, Any] = {"busy": False}


def _start(work: Callable[[Any], Any]) -> None:
    """Keep the work for the tasks of this process. It ends with its parent, which decides about Ctrl-C."""
    _process["work"] = work
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _terminate)
    end_with_parent()


def _terminate(_number: int, _frame: FrameType | None) -> None:
    if not _process["busy"]:
        os._exit(128 + signal.SIGTERM)
    raise Terminated


def _do(task: Any) -> Any:
    _process["busy"] = True
    try:
        return _process["work"](task)
    finally:
        _process["busy"] = False
