"""The command line: one module for each command, imported when it is called.

A command is a dataclass `Options`, which is its options and its help, and a function `main`.
"""

from __future__ import annotations

import io
import os
import shlex
import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from typing import TextIO

from s2s2.errors import S2S2Error

COMMANDS = {
    "demo": "run the whole path on built-in images of four hospitals",
    "run": "the whole path on your own folders: check to report, one command",
    "datasets": "public data sets that can be read as they are distributed, and where to get them",
    "networks": "networks that go by a name: size, speed here, taps, licence of their weights",
    "check": "what is wrong with a data set, before an hour is spent on it",
    "split": "divide cases into train, validation and test, by group",
    "tune": "let a generator's network learn from the training images",
    "stack": "make the semantic stack: synthetic images of every training mask",
    "export": "write a stack as training cases of nnU-Net",
    "audit": "say whether a stack can be trusted: labels, novelty, diversity",
    "train": "train one network in one arm",
    "predict": "segment a folder of images with a trained network",
    "evaluate": "score predictions against masks, one row a case and class",
    "compare": "paired differences between arms, with intervals",
    "report": "draw the page of a run again",
    "doctor": "what this machine has, and what that is good for",
}
"""In the order of the story; the modules beside this file carry the same names."""

_typed: list[str] = []

EPILOG = """\
A first use:
  s2s2 demo                                                       see it work, about ten minutes
  s2s2 check sites/home                                           is my data fit?
  s2s2 run --data sites/home --target sites/away --output runs/first
  s2s2 predict runs/first/arms/s2s2 new_images --output masks

s2s2 COMMAND --help says more. Exit codes: 0 done, 2 something for you to fix,
130 or 143 stopped, 1 a bug."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    _print_in_any_encoding()
    try:
        code = _answer(list(sys.argv[1:] if arguments is None else arguments))
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


def _answer(words: list[str]) -> int:
    """Print what is asked for, or run a command."""
    if not words or words[0] in ("-h", "--help", "help"):
        _write(_overview())
        return 0 if words else 2
    if words[0] in ("-V", "--version"):
        from importlib.metadata import version

        _write(f"s2s2 {version('s2s2')}")
        return 0
    if words[0] not in COMMANDS:
        return _refuse(f"There is no command {words[0]!r}. The commands are: {', '.join(COMMANDS)}.")
    if {"-h", "--help"} & {*words}:
        # Nothing else is loaded for a help: what runs a command takes seconds to load.
        from s2s2.cli.help import help_of

        _write(help_of(import_module(f"s2s2.cli.{words[0]}").Options, words[0]))
        return 0
    from s2s2.core.signals import STOPPED, stoppable

    _typed[:] = words
    try:
        with stoppable():
            return _run(words[0], words[1:])
    except KeyboardInterrupt:  # raised by no signal, or in a thread
        _write(f"\n{STOPPED}", sys.stderr)
        return 130


def _run(name: str, words: Sequence[str]) -> int:
    """Run a command; what it refuses, and what the machine refuses it, is one paragraph."""
    from s2s2.core.storage import storage_errors

    place = "what the command gives out"
    try:
        with storage_errors(place), warnings.catch_warnings():
            # Headers with odd values are common, and every slice would be warned of.
            warnings.filterwarnings("ignore", module="pydicom")
            from s2s2.cli.options import read_options

            command = import_module(f"s2s2.cli.{name}")
            options = read_options(command.Options, name, words)
            with storage_errors(getattr(options, "output", None) or place):
                code: int = command.main(options)
            sys.stdout.flush()
        return code
    except S2S2Error as error:
        return _refuse(str(error))
    except BrokenPipeError:
        raise
    except OSError as error:
        return _refuse(f"{error}. Check that the file or folder is there and may be used.")


def typed() -> str:
    """Return the command line, for the record of a run."""
    return shlex.join(["s2s2", *_typed])


def _print_in_any_encoding() -> None:
    """Print ? for letters that the terminal or file does not know, where Python would end in an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors in ("strict", "surrogateescape"):
            stream.reconfigure(errors="replace")


def _overview() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {summary}" for name, summary in COMMANDS.items()]
    return "\n".join(
        [
            "usage: s2s2 COMMAND [options]",
            "",
            "Semantic stacking: segmentation networks that hold at the next hospital.",
            "",
            *lines,
            "",
            EPILOG,
        ]
    )


def _refuse(message: str) -> int:
    """Say what is wrong in one paragraph, also where a library said it in several lines."""
    lines = [line.strip() for line in message.splitlines()]
    _write(f"s2s2: {' '.join(line for line in lines if line)}", sys.stderr)
    return 2


def _write(text: str, stream: TextIO | None = None) -> None:
    (stream or sys.stdout).write(text + "\n")
