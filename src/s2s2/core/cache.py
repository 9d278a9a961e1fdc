"""Decoded arrays kept in memory, up to a budget."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy.typing as npt

Key = tuple[str, str]


class ArrayCache:
    """Keeps arrays by name until the budget is spent; what comes later is not kept.

    Nothing is thrown out: with epochs in random order that would keep the cache
    busy and rarely right. A pickled cache is empty, so that data sets travel light
    to the workers of a loader.

    Args:
        megabytes: The budget; 0 keeps nothing.
    """

    def __init__(self, megabytes: int) -> None:
        self.megabytes = megabytes
        self._arrays: dict[Key, npt.NDArray[Any]] = {}
        self._free = megabytes * 2**20
        self._lock = threading.Lock()

    def get(self, key: Key, make: Callable[[], npt.NDArray[Any]]) -> npt.NDArray[Any]:
        """Return the array of this name, made by `make` where it is not kept."""
        array = self._arrays.get(key)
        if array is not None:
            return array
        array = make()
        with self._lock:
            if key not in self._arrays and array.nbytes <= self._free:
                self._arrays[key] = array
                self._free -= array.nbytes
        return array

    def __len__(self) -> int:
        return len(self._arrays)

    def __reduce__(self) -> tuple[type[ArrayCache], tuple[int]]:
        return ArrayCache, (self.megabytes,)
