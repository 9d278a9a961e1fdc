from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

from s2s2.core.signals import STOPPED

SCRIPT = """
import sys, time
from s2s2.core.signals import stoppable
with stoppable():
    print("ready", flush=True)
    {}
print("went on", flush=True)
"""
SLEEPS = "time.sleep(60)"
SWALLOWS = """
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            time.sleep(60)
        except BaseException:
            pass
"""
ENDS_WELL = """
    try:
        time.sleep(60)
    except KeyboardInterrupt:
        pass
"""
LIGHTNING = """
    try:
        time.sleep(60)
    except KeyboardInterrupt:
        sys.exit(1)
"""
STARTS = """
    import os, signal, threading
    from s2s2.core.signals import spared_children
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    with spared_children():
        os.kill(os.getpid(), signal.{})
        time.sleep(0.3)
        print("started", flush=True)
    print("went beyond", flush=True)
"""
LEAVES = """
    import _multiprocessing, multiprocessing, os, signal
    lock = multiprocessing.get_context("spawn").Lock()
    _multiprocessing.sem_unlink(lock._semlock.name)  # as if it ended in the midst of clearing up
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(60)
"""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs signals")


def stopped(body: str, *numbers: int, ignored: int | None = None) -> tuple[int, str, float]:
    """Return exit code, output and seconds of a script that got signals."""
    script = SCRIPT.format(body)
    # A shell lets its background jobs ignore Ctrl-C, and a child inherits that.
    number, way = (2, "default_int_handler") if ignored is None else (ignored, "SIG_IGN")
    script = f"import signal; signal.signal({number}, signal.{way})\n{script}"
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    started = time.monotonic()
    for number in numbers:
        process.send_signal(number)
        time.sleep(0.2)
    words = process.communicate(timeout=30)[0]
    return process.returncode, words, time.monotonic() - started


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
@pytest.mark.parametrize("body", [SLEEPS, SWALLOWS, ENDS_WELL, LIGHTNING])
def test_a_command_that_is_stopped_ends_with_one_line(body: str, number: int, code: int) -> None:
    found, words, seconds = stopped(body, number)
    assert (found, words.split("\n")) == (code, ["", STOPPED, ""])
    assert seconds < 5


def test_a_second_signal_ends_at_once() -> None:
    code, words, seconds = stopped(SWALLOWS, signal.SIGTERM, signal.SIGTERM)
    assert (code, words.strip()) == (143, STOPPED)
    assert seconds < 2


def test_a_signal_that_the_process_was_started_to_ignore_stays_ignored() -> None:
    code, words, _ = stopped("time.sleep(1)", signal.SIGINT, ignored=int(signal.SIGINT))
    assert (code, words) == (0, "went on\n")


@pytest.mark.parametrize(("number", "code"), [("SIGTERM", 143), ("SIGINT", 130)])
def test_the_start_of_a_process_is_not_stopped_half_way(number: str, code: int) -> None:
    found, words, _ = stopped(STARTS.format(number))
    assert (found, words.split("\n")) == (code, ["started", "", STOPPED, ""])


def test_nothing_is_said_below_the_last_line_of_what_was_left() -> None:
    code, words, _ = stopped(LEAVES)
    assert (code, words.split("\n")) == (143, ["", STOPPED, ""])


def test_outside_of_the_block_signals_are_as_before() -> None:
    from s2s2.core.signals import stoppable

    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with stoppable():
        assert signal.getsignal(signal.SIGTERM) is not before[1]
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
