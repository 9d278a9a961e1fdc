"""Worker processes: tasks done side by side, each process with threads of its own."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context, parent_process
from pickle import PicklingError
from typing import Any, TypeVar

from s2s2.core.progress import Progress

Task = TypeVar("Task")
Result = TypeVar("Result")

_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


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
                futures = {pool.submit(_do, task): position for position, task in enumerate(tasks)}
            except (AttributeError, TypeError) as error:  # what pickle raises besides its own
                raise PicklingError(str(error)) from error
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


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
    # Without a thread of its own, unlike `Queue`: a report arrives before the result that follows it.
    queue = get_context("spawn").SimpleQueue()
    listener = threading.Thread(target=_listen, args=(queue, progress), daemon=True)
    listener.start()
    try:
        done = finished(partial(_reporting, work, queue), list(enumerate(tasks)), jobs=jobs, threads=threads)
        return [result for _, result in sorted(done, key=lambda pair: pair[0])]
    finally:
        queue.put(None)
        listener.join(timeout=5)


def _listen(queue: Any, progress: Sequence[Progress]) -> None:
    """Hand on what the processes report."""
    while (message := queue.get()) is not None:
        number, *words = message
        progress[number](*words)


def _reporting(work: Callable[[Task, Progress], Result], queue: Any, numbered: tuple[int, Task]) -> Result:
    number, task = numbered
    return work(task, lambda done, total, words: queue.put((number, done, total, words)))


_process: dict[str, Callable[[Any], Any]] = {}


def _start(work: Callable[[Any], Any]) -> None:
    """Keep the work for the tasks of this process, and end the process when its parent is killed."""
    _process["work"] = work
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    # A worker whose parent was killed must not go on writing into a folder
    # that the next run will work in.
    if (parent := parent_process()) is not None:
        parent.join()
        os._exit(1)


def _do(task: Any) -> Any:
    return _process["work"](task)
