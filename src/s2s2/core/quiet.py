"""Lightning at work: in a folder of its own, without chatter."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from s2s2.core.storage import claimed, storage_errors


@contextmanager
def quiet_lightning() -> Iterator[None]:
    """Leave out Lightning's tips, start-up lines and warnings."""
    logger = logging.getLogger("lightning.pytorch")
    level = logger.level
    logger.setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="lightning")
        try:
            yield
        finally:
            logger.setLevel(level)


@contextmanager
def lightning_in(folder: Path) -> Iterator[None]:
    """Let Lightning write into a folder: quietly, and as the only one there.

    Raises:
        StorageError: If a file cannot be written, or another process works in the folder.
    """
    from lightning.pytorch.utilities import rank_zero_only

    # Of several processes that learn together the first claims the folder for all.
    claim = claimed(folder) if getattr(rank_zero_only, "rank", 0) == 0 else nullcontext()
    with storage_errors(folder), claim, quiet_lightning():
        yield
