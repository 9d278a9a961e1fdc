"""Signals that stop a command (Ctrl-C, SIGTERM), and processes that end with the one that started them."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import active_children, parent_process
from multiprocessing.util import _run_finalizers  # type: ignore[attr-defined]
from types import FrameType
from typing import Any, NoReturn

GRACE_S = 3.0
"""After so long a command that is to stop ends, whatever it is doing; every file is whole or not there."""
STOPPED = "Stopped. What is done is kept: the same command goes on from here."
_PERIOD_S = 0.5
_TRACKER = "ignore:resource_tracker"
"""Python's option -W for the process of multiprocessing that clears up: it would say so below `STOPPED`."""
_PR_SET_PDEATHSIG = 1


class Terminated(KeyboardInterrupt):
    """SIGTERM came, as SLURM, Docker and systemd send it: the same as Ctrl-C."""


class _Stop:
    """Handler of both signals: the first one is raised where the program is, a second one ends it at once."""

    def __init__(self) -> None:
        self.process, self.came = os.getpid(), 0

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if self.came and os.getpid() == self.process:
            _end_now(number)
        self.came = number
        # Where Python lets no error through, as in `__del__`, it would print it.
        sys.unraisablehook = threading.excepthook = _say_nothing
        raise Terminated if number == signal.SIGTERM else KeyboardInterrupt


def _say_nothing(_error: Any) -> None:
    pass


@contextmanager
def stoppable() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM raise `KeyboardInterrupt` in the block, and end the process after it.

    The exit code is 143 after SIGTERM and 130 after Ctrl-C, the last line is `STOPPED`. Where the block
    does not end within `GRACE_S`, because one pass of a large network takes longer or a library catches
    what is raised, the process ends all the same. Signals that it was started to ignore stay ignored.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    if _TRACKER not in sys.warnoptions:  # which are handed on to every process of multiprocessing
        sys.warnoptions.append(_TRACKER)
    stop = _Stop()
    numbers = [each for each in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(each) != signal.SIG_IGN]
    before = {number: signal.signal(number, stop) for number in numbers}
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    fd = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    with suppress(RuntimeError):  # no thread can be started: stop without the limit on time
        threading.Thread(target=_end_in_time, args=(reader,), daemon=True).start()
    try:
        yield
    finally:
        if stop.came:
            with suppress(OSError, ValueError):
                sys.stdout.flush()
            _end_now(stop.came)
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(fd)
        os.close(writer)


def _end_in_time(reader: int) -> None:
    """Wait for a signal, and end the process when it has had its time."""
    while came := os.read(reader, 1):
        if came[0] in (signal.SIGINT, signal.SIGTERM):
            time.sleep(GRACE_S)
            _end_now(came[0])
    os.close(reader)


def _end_now(number: int) -> NoReturn:
    # Straight to the system, past locks that the rest of the program may hold.
    with suppress(OSError):
        show_cursor = "\x1b[?25h" if os.isatty(2) else ""
        os.write(2, f"{show_cursor}\n{STOPPED}\n".encode())
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # that was the last line, whatever fails below
    with suppress(Exception):
        for child in active_children():
            child.kill()
        _run_finalizers(0)  # semaphores of pools, which the system keeps
    os._exit(128 + number)


def _forked() -> None:
    """Keep the signals of a forked process from its parent."""
    with suppress(ValueError):
        signal.set_wakeup_fd(-1)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


def end_with_parent() -> None:
    """Let this process end within a second when the one that started it does, killed or not.

    A worker whose parent was killed must not go on writing into a folder that the next run works in.
    """
    parent, first = parent_process(), os.getppid()
    if parent is None:
        return
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    with suppress(RuntimeError):
        threading.Thread(target=_watch, args=(parent, first), daemon=True).start()


def _watch(parent: Any, first: int) -> None:
    while parent.is_alive() and os.getppid() == first:
        parent.join(_PERIOD_S)
    os._exit(1)


@contextmanager
def spared_children() -> Iterator[None]:
    """Start processes in this block: Ctrl-C never interrupts them, and no signal stops their start half way.

    The parent decides about Ctrl-C. A process whose start is given up would complain that its parent hung up,
    so a signal that comes within the block is heard at its end.
    """
    came: list[int] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    if threading.current_thread() is not threading.main_thread():  # signals are not heard here
        before = {}
    heard = {number: handler for number, handler in before.items() if callable(handler)}
    for number in heard:
        signal.signal(number, lambda number, _frame: came.append(number))
    try:
        with _blocked(signal.SIGINT):
            yield
    finally:
        for number, handler in heard.items():
            signal.signal(number, handler)
        for first in came[:1]:
            heard[signal.Signals(first)](first, None)


@contextmanager
def _blocked(number: int) -> Iterator[None]:
    """Block a signal in this thread, and in the processes that it starts."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {number})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def start_loader_worker(_number: int) -> None:
    """Begin a worker of a `DataLoader`: it ends with its parent, which decides about Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()
