"""Feature taps: the outputs of named modules of a network, read by forward hooks."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from s2s2.errors import TapError
from s2s2.objective.rules import Rule, find_modules, take_tensors


class FeatureTap:
    """The outputs of named modules in the last forward pass.

    A tap hooks the modules it is given and keeps what they return, tensors that
    carry gradient. `features()` returns them and forgets them, so that no graph
    outlives its step. Wrappers (`DistributedDataParallel`, `DataParallel`
    on one device, `torch.compile`) are seen through: names are those of the
    network inside. A deep copy or a pickle of the network is not tapped.

    Args:
        network: The network to tap. The tap does not keep it alive.
        names: What to tap, in this order. Each is one of

            - a module's name, as in `network.named_modules()`: `"encoder.stages.4"`;
            - a name with an index into a container: `"encoder.stages[-1]"`;
            - a compiled regular expression, which takes every name that it matches in full;
            - a function of name and module that says yes or no.

            A name may end in `:key` to take one element of a tuple, list, dict or
            dataclass: `"vit:0"`, `"backbone:out"`. Without it all tensors found
            in such an output are taken.

    Raises:
        TapError: If a name or a rule fits no module (the message lists names that exist).

    Example:
        >>> import torch
        >>> network = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 1), torch.nn.ReLU())
        >>> with FeatureTap(network, ["0"]) as tap:
        ...     _ = network(torch.zeros(2, 3, 4, 4))
        ...     {name: tuple(feature.shape) for name, feature in tap.features().items()}
        {'0': (2, 8, 4, 4)}
    """

    def __init__(self, network: nn.Module, names: Sequence[Rule]) -> None:
        network = unwrap(network)
        outputs: dict[str, object] = {}
        self._outputs = outputs
        self._picks = [pick for rule in names for pick in find_modules(network, rule)]
        handles = [network.register_forward_pre_hook(_Forget(outputs))]
        for name in dict.fromkeys(name for name, _ in self._picks):
            handles.append(network.get_submodule(name).register_forward_hook(_Keep(outputs, name)))
        # Runs once: when the tap is closed, or when nobody holds it any more.
        self._release = weakref.finalize(self, _release, handles, outputs)

    @property
    def names(self) -> tuple[str, ...]:
        """What is tapped, rules resolved to names, in the order asked for."""
        return tuple(name if key is None else f"{name}:{key}" for name, key in self._picks)

    def features(self) -> dict[str, Tensor]:
        """Return the features of the last forward pass, and forget them.

        Returns:
            One entry a tensor, in the order of the names. A module that returned
            several gives `"name:0"`, `"name:1"` or `"name:key"`.

        Raises:
            TapError: If a tapped module did not run, returned no floating-point
                tensor, or has no element of the key asked for.
        """
        found: dict[str, Tensor] = {}
        for name, key in self._picks:
            if name not in self._outputs:
                raise TapError(
                    f"The tapped module {name!r} did not run since the features were last read. Run the "
                    "network before reading, tap a module that every forward pass calls, and attach the tap "
                    "before the first call of a compiled network (or call torch.compiler.reset() after "
                    "attaching it)."
                )
            found.update(take_tensors(name, key, self._outputs[name]))
        self._outputs.clear()
        return found

    def close(self) -> None:
        """Take the hooks off the network and forget all features. Safe to call twice."""
        self._release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def unwrap(network: nn.Module) -> nn.Module:
    """Return the network inside `torch.compile`, `DistributedDataParallel` and `DataParallel`.

    Example:
        >>> network = nn.Conv2d(3, 8, 1)
        >>> unwrap(nn.DataParallel(network)) is network
        True
    """
    while True:
        if isinstance(network, nn.DataParallel | nn.parallel.DistributedDataParallel):
            network = network.module
        elif isinstance(inside := getattr(network, "_orig_mod", None), nn.Module):
            network = inside  # a network that went through torch.compile
        else:
            return network


class _Keep:
    """Forward hook that keeps a module's output. Copied or pickled, it keeps nothing."""

    def __init__(self, outputs: dict[str, object] | None, name: str) -> None:
        self.outputs = outputs
        self.name = name

    def __call__(self, module: nn.Module, args: object, output: object) -> None:
        if self.outputs is None:
            return
        if getattr(module, "_is_replica", False):
            raise TapError(
                f"The tapped module {self.name!r} runs on several devices at once under DataParallel, and "
                "its features cannot be put together. Use DistributedDataParallel, or a single device."
            )
        self.outputs[self.name] = output

    def __reduce__(self) -> tuple[type[_Keep], tuple[None, str]]:
        return _Keep, (None, self.name)


class _Forget:
    """Forward pre-hook of the whole network: forgets what an earlier pass left."""

    def __init__(self, outputs: dict[str, object] | None) -> None:
        self.outputs = outputs

    def __call__(self, module: nn.Module, args: object) -> None:
        if self.outputs is not None:
            self.outputs.clear()

    def __reduce__(self) -> tuple[type[_Forget], tuple[None]]:
        return _Forget, (None,)


def _release(handles: list[RemovableHandle], outputs: dict[str, object]) -> None:
    for handle in handles:
        handle.remove()
    outputs.clear()
