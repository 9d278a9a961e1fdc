"""What processes that work side by side need before they start."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

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
