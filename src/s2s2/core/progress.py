"""Progress callbacks: how long-running work reports how far it is."""

from collections.abc import Callable

Progress = Callable[[int, int, str], None]
"""Called with the number done, the number in all, and a few words on it."""

Count = Callable[[int, int], None]
"""Called with the number done and the number in all."""
