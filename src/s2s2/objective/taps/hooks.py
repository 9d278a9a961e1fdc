"""Forward hooks that note what modules return, and leave nothing behind on copies of a network."""

from __future__ import annotations

import weakref
from collections import OrderedDict
from collections.abc import Container, Mapping
from typing import Any, NamedTuple, Self

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from s2s2.errors import TapError
from s2s2.objective.taps.outputs import elements, named_tensors


class Call(NamedTuple):
    """One call of a tapped module."""

    output: object
    """What it returned."""
    versions: dict[str, int]
    """How often each of its tensors had been changed in place by then."""
    recorded: bool
    """Whether gradients were on."""


Calls = dict[str, list[Call]]
"""The calls of one pass, by module."""

_Places = weakref.WeakValueDictionary[tuple[int, int], "OrderedDict[int, Any]"]
"""The hook dictionaries that hold a hook of a tap or a copy of it, by identity and the hook's key."""


class Hooks:
    """The hooks of one tap.

    Args:
        network: Its call begins a new pass.
        modules: Those whose calls are noted, by name.
        every: Names of those of which every call is kept; of others the last one, and a count.
    """

    def __init__(
        self, network: nn.Module, modules: Mapping[str, nn.Module], every: Container[str] = ()
    ) -> None:
        self.calls: Calls = {}
        self._places: _Places = weakref.WeakValueDictionary()
        if modules:
            forget = _Forget("", self.calls, self._places)
            forget.hang(network.register_forward_pre_hook(forget))
        for name, module in modules.items():
            keep = _Keep(name, self.calls, self._places)
            keep.every = name in every
            keep.hang(module.register_forward_hook(keep))

    def remove(self) -> None:
        """Take the hooks off the network and its deep copies, and forget all calls."""
        for (_, key), hooks in list(self._places.items()):
            hooks.pop(key, None)
        self._places.clear()
        self.calls.clear()


class _Hook:
    """A hook on one module. Copied or pickled it notes nothing, and leaves its module at the first call."""

    def __init__(self, name: str, calls: Calls | None = None, places: _Places | None = None) -> None:
        self.name, self.calls, self.places = name, calls, places
        self.place: weakref.ref[OrderedDict[int, Any]] | None = None
        self.key = 0

    def hang(self, handle: RemovableHandle) -> None:
        """Note where the hook hangs, so that it can be taken down there and on copies."""
        self._note(handle.hooks_dict_ref(), handle.id)

    def _note(self, place: Any, key: int) -> None:
        self.place, self.key = weakref.ref(place), key
        if self.places is not None:
            self.places[id(place), key] = place

    def _leave(self, hooks: dict[int, Any]) -> None:
        if not torch.compiler.is_compiling():
            for key in [key for key, hook in hooks.items() if hook is self]:
                del hooks[key]

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        twin = type(self)(self.name, None, self.places)
        place = None if self.place is None else self.place()
        if place is not None and id(place) in memo:
            twin._note(memo[id(place)], self.key)
        return twin

    def __reduce__(self) -> tuple[type[Self], tuple[str]]:
        return type(self), (self.name,)


class _Keep(_Hook):
    """Forward hook that notes a module's call."""

    every = False

    def __call__(self, module: nn.Module, args: object, output: object) -> None:
        if self.calls is None:
            self._leave(module._forward_hooks)
            return
        if getattr(module, "_is_replica", False):
            raise TapError(
                f"The tapped module {self.name!r} runs on several devices at once under DataParallel, and "
                "its features cannot be put together. Use DistributedDataParallel, or a single device."
            )
        if torch.compiler.is_compiling():
            # Inside a compiled graph nothing tells of changes in place: a copy is safe from them.
            call = Call(_copied(output), {}, torch.is_grad_enabled())
        elif torch._C._current_graph_task_id() == -1:
            named = named_tensors("", output)
            versions = {key: tensor._version for key, tensor in named if not tensor.is_inference()}
            call = Call(output, versions, torch.is_grad_enabled())
        else:
            return  # checkpointing computes it again during the backward pass
        calls = self.calls.setdefault(self.name, [])
        if calls and not self.every:
            calls[-1] = Call(None, {}, False)  # counted, not kept
        calls.append(call)


class _Forget(_Hook):
    """Forward pre-hook of the whole network: forgets what an earlier pass left."""

    def __call__(self, module: nn.Module, args: object) -> None:
        if self.calls is None:
            self._leave(module._forward_pre_hooks)
        else:
            self.calls.clear()


def _copied(output: object) -> object:
    """Copies of all tensors, in plain dicts by key: what torch.compile can trace."""
    if isinstance(output, Tensor):
        return output.clone()
    return {key: _copied(value) for key, value in elements(output)}
