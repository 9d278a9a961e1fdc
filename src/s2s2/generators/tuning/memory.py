"""Memory that runs out, said in words that help."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from s2s2.errors import GeneratorError


@contextmanager
def memory_errors(doing: str, advice: str) -> Iterator[None]:
    """Turn memory that runs out in the block into a `GeneratorError`.

    Args:
        doing: What needed it, as in "while tuning with batch 8; the last check is kept".
        advice: What to do, as sentences.

    Raises:
        GeneratorError: If memory ran out, on the GPU or beside it.

    Example:
        >>> with memory_errors("while counting", "Count less."):
        ...     raise MemoryError
        Traceback (most recent call last):
        ...
        s2s2.errors.GeneratorError: Memory ran out while counting. Count less.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        # The CPU's allocator raises a plain RuntimeError.
        short = isinstance(error, (torch.OutOfMemoryError, MemoryError))
        if not short and "can't allocate memory" not in str(error):
            raise
        raise GeneratorError(f"Memory ran out {doing}. {advice}") from error


def batch_that_fits(batch: int, accumulate: int) -> str:
    """Return the advice to learn the same from half the memory.

    Example:
        >>> batch_that_fits(8, 1)
        'Try batch 4 with accumulate 2, which learns the same from half the memory, or checkpointing.'
    """
    if batch == 1:
        return "Even one image is too much: choose a smaller resolution, or checkpointing."
    half = batch // 2
    return (
        f"Try batch {half} with accumulate {accumulate * -(-batch // half)}, which learns the same from half "
        "the memory, or checkpointing."
    )
