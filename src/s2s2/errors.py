"""Errors of the package.

A message is one paragraph: what was got, what was expected, what to do. The
command line prints it without a traceback and exits with 2; anything that is
not an `S2S2Error` is a bug and exits with 1.
"""

from __future__ import annotations

from collections.abc import Sequence


class S2S2Error(ValueError):
    """Base of all errors that the user can fix."""


class DataError(S2S2Error):
    """An image, a mask, a manifest or a class map is not what it should be."""


class SplitError(S2S2Error):
    """A split is empty, overlaps, or names cases that do not exist."""


class StackError(S2S2Error):
    """A stack is missing, corrupt, out of date or made from other cases."""


class GeneratorError(S2S2Error):
    """A generator cannot be loaded, tuned or used on these cases."""


class AuditError(S2S2Error):
    """A stack cannot be audited, or the result of an audit is incomplete."""


class ShapeError(S2S2Error):
    """Two tensors that belong together have different shapes."""


class TapError(S2S2Error):
    """A feature tap names a module that the network does not have."""


class NetworkError(S2S2Error):
    """A network cannot be built, loaded or applied to these images."""


class TrainingError(S2S2Error):
    """Training cannot start or cannot continue."""


class EvaluationError(S2S2Error):
    """Predictions and masks do not belong together."""


class ConfigError(S2S2Error):
    """An option has a value that cannot be used."""


class StorageError(S2S2Error):
    """A file cannot be written, because the disk is full or read-only."""


class ResourceError(S2S2Error):
    """Memory, threads, open files, shared memory or a library of this machine do not suffice."""


def listed(items: Sequence[str], between: str = ", ", most: int = 5) -> str:
    """Return the first items of a list for a message, and how many more there are.

    Example:
        >>> listed(["a", "b", "c"], most=2), listed(["a", "b"])
        ('a, b and 1 more', 'a, b')
    """
    more = f" and {len(items) - most} more" if len(items) > most else ""
    return between.join(items[:most]) + more
