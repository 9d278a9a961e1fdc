"""The choice of a generator, in words for the command line."""

from __future__ import annotations

import textwrap

from s2s2.generators.named import NAMED

TUNED = ("diffusion", "controlnet")
"""Those whose network has to be tuned."""


def choice_of_generators(width: int = 100, *, tuned: bool = False) -> str:
    """Return what each built-in generator is, needs and gives, and when to take it.

    Args:
        width: Characters a line.
        tuned: Leave those out that need no tuning.
    """
    lines = ["generators:"]
    for name, named in NAMED.items():
        if tuned and name not in TUNED:
            continue
        info = named.info
        lines.append(f"  {name}: {info.summary}")
        for word, text in (("needs", info.needs), ("gives", info.gives), ("take it", info.when)):
            lines += textwrap.wrap(text, width, initial_indent=f"    {word:<8}", subsequent_indent=" " * 12)
    return "\n".join(lines)
