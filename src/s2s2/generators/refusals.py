"""What every generator refuses to do."""

from __future__ import annotations

from collections.abc import Collection

from s2s2.data.case import Case
from s2s2.errors import ConfigError, SplitError


def unfitted(name: str) -> ConfigError:
    """Return what to raise where a copy is asked of a generator that has seen no case."""
    return ConfigError(f"{name}: the generator was not fitted. Call fit(dataset, split) first.")


def require_training_case(case: Case, known: Collection[str]) -> None:
    """Refuse a case that is not among those that a generator was fitted on.

    Raises:
        SplitError: If it is not.
    """
    if case.id not in known:
        raise SplitError(
            f"Copies are made of training cases alone, got {case.id!r}, which is not among the {len(known)} "
            "cases that the generator was fitted on. Fit it on the split that trains on this case."
        )
