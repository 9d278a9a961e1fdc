"""How long work tells how far it is."""

from collections.abc import Callable

Progress = Callable[[int, int, str], None]
"""Called with what is done, what there is to do, and a few words on it."""

Count = Callable[[int, int], None]
"""Called with how many are done, and how many there are."""
