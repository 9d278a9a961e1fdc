"""Memory cache: what was read or made once is kept, up to a budget."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Generic, Protocol, TypeVar


class Sized(Protocol):
    """A value that knows its bytes, as arrays do."""

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""


Value = TypeVar("Value", bound=Sized)


class Cache(Generic[Value]):
    """Keeps values by name until the budget is spent. A pickled cache is empty.

    Args:
        megabytes: The budget in MiB.
        renewed: Whether new values replace those that were not used for longest; the last one
            is kept even if it alone is larger than the budget. Else the first ones stay and
            what comes later is not kept: in epochs of random order replacing would keep the
            cache busy and rarely right.

    Example:
        >>> import numpy as np
        >>> cache = Cache(megabytes=1)
        >>> cache.get("a", lambda: np.zeros(3)) is cache.get("a", lambda: np.ones(3))
        True
    """

    def __init__(self, megabytes: float, *, renewed: bool = False) -> None:
        self.megabytes, self.renewed = megabytes, renewed
        self._values: OrderedDict[Hashable, Value] = OrderedDict()
        self._free = int(megabytes * 2**20)
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """Return the value of this name, made by `make` where it is not kept."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        value = make()
        with self._lock:
            if key not in self._values and (self.renewed or value.nbytes <= self._free):
                self._values[key] = value
                self._free -= value.nbytes
            while self._free < 0 and len(self._values) > 1:
                self._free += self._values.popitem(last=False)[1].nbytes
        return value

    def __len__(self) -> int:
        return len(self._values)

    def __getstate__(self) -> dict[str, Any]:
        return {"megabytes": self.megabytes, "renewed": self.renewed}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]
