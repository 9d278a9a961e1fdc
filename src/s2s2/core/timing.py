"""Durations: measured on this machine, and written in words."""

from __future__ import annotations

import time
from collections.abc import Callable


def duration(seconds: float) -> str:
    """Return a time in the unit that fits.

    Example:
        >>> duration(3.2), duration(95), duration(7320), duration(9e6)
        ('3.2 s', '1 min 35 s', '2 h 2 min', '104 days')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    if whole < 48 * 3600:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{round(whole / 86400)} days"


def seconds_of(action: Callable[[], object], *, times: int = 3) -> float:
    """Return the shortest time of a few calls, after one call to warm up.

    The shortest, since other work on the machine only adds to it: threads that wait for
    each other on busy cores can make a single call a hundred times slower.
    """
    action()
    return min(_timed(action) for _ in range(times))


def _timed(action: Callable[[], object]) -> float:
    import torch

    begin = time.perf_counter()
    action()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - begin
