"""How long a small piece of work takes on this machine."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch


def seconds_of(action: Callable[[], object], *, times: int = 3) -> float:
    """Return the least time of a few calls, after one that warms up.

    The least, since whatever else the machine does only adds: threads that wait for each other
    on cores that are taken can make a single call a hundred times slower.
    """
    action()
    return min(_timed(action) for _ in range(times))


def _timed(action: Callable[[], object]) -> float:
    begin = time.perf_counter()
    action()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - begin
