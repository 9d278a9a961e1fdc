"""Work that is done side by side, each task in a process of its own threads."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
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
        Exception: The first one of a task; those that run are finished first, so that nothing
            they made is lost.
    """
    if jobs == 1:
        return [work(task, tell) for task, tell in zip(tasks, progress, strict=True)]
    context = get_context("spawn")
    # Without a thread of its own, unlike `Queue`: a report arrives before the result that follows it.
    queue = context.SimpleQueue()
    listener = threading.Thread(target=_listen, args=(queue, progress), daemon=True)
    listener.start()
    with (
        worker_environment(threads),
        ProcessPoolExecutor(jobs, context, _start, (queue, os.getpid())) as pool,
    ):
        try:
            futures = [pool.submit(_work, work, number, task) for number, task in enumerate(tasks)]
            for future in as_completed(futures):
                future.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
        finally:
            queue.put(None)
            listener.join(timeout=5)
    return [future.result() for future in futures]


def _listen(queue: Any, progress: Sequence[Progress]) -> None:
    """Hand on what the processes report."""
    while (message := queue.get()) is not None:
        number, *words = message
        progress[number](*words)


_process: dict[str, Any] = {}


def _start(queue: Any, parent: int) -> None:
    _process.update(queue=queue, parent=parent)


def _work(work: Callable[[Any, Progress], Any], number: int, task: Any) -> Any:
    return work(task, partial(_send, number))


def _send(number: int, done: int, total: int, words: str) -> None:
    # A worker whose parent was killed must not go on writing into a folder
    # that the next run will work in.
    if os.getppid() != _process["parent"]:
        os._exit(1)
    _process["queue"].put((number, done, total, words))
