"""Named random streams: the same name gives the same numbers, in any order and on any machine.

A stream is named by its purpose and by what it is drawn for: ``stream(seed, "copy",
case.id, epoch)``. So two workers, two epochs or two cases never share one.
"""

from __future__ import annotations

import hashlib

import numpy as np


def stream(*name: str | int) -> np.random.Generator:
    """Return the random generator of this name.

    Args:
        name: Any strings and integers; by custom the seed comes first, then the
            purpose, then the case, copy and epoch.

    Returns:
        A generator whose numbers depend on `name` alone.

    Example:
        >>> float(stream(0, "copy", "case_1", 3).random()) == float(stream(0, "copy", "case_1", 3).random())
        True
    """
    text = "\x1f".join(f"{type(part).__name__}:{part}" for part in name)
    digest = hashlib.blake2b(text.encode(), digest_size=16).digest()
    return np.random.default_rng(np.frombuffer(digest, dtype=np.uint32))
