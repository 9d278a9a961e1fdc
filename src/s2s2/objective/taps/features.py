"""Feature taps: the outputs of named modules of a network, read by forward hooks."""

from __future__ import annotations

import math
import re
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import NamedTuple, Self

import torch
from torch import Tensor, nn

from s2s2.errors import ConfigError, TapError
from s2s2.objective.taps.hooks import Call, Hooks
from s2s2.objective.taps.outputs import take_tensors
from s2s2.objective.taps.rules import Rule, find_modules, refuse_scripted, unwrap, works_on_the_last_axis

__all__ = ["Feature", "FeatureTap", "Tap", "refuse_without_gradient", "unwrap"]


@dataclass(frozen=True)
class Tap:
    """A module whose output is a feature, and how it is read.

    Args:
        rule: Which module, see `FeatureTap`.
        channel_dim: Axis of the channels: 1 for maps (batch, channel, height, width), -1
            for tokens (batch, token, channel) and for maps (batch, height, width,
            channel). None lets the distance choose, or refuse where it cannot tell.
        weight: Factor of its distance in the sum of its side, at least 0.
        item: Element to take of a tuple, list, dict or dataclass; `"2:0"` goes two levels
            down. None takes every tensor in it.
        call: Which call to take of a module that runs several times in one pass, 0 the
            first and -1 the last. None refuses such a module.

    Raises:
        ConfigError: If a value is none of these.

    Example:
        >>> Tap("layers.0", channel_dim=-1, weight=0.5).weight
        0.5
    """

    rule: Rule
    channel_dim: int | None = None
    weight: float = 1.0
    item: int | str | None = None
    call: int | None = None

    def __post_init__(self) -> None:
        if not (isinstance(self.rule, str | re.Pattern) or callable(self.rule)):
            raise ConfigError(
                f"A tap is {self.rule!r}. Expected a module's name, a compiled regular expression, a "
                "function of name and module, or a Tap of one of these."
            )
        if not 0 <= self.weight < math.inf:
            raise ConfigError(f"The weight of tap {self.rule!r} is {self.weight}. Expected at least 0.")

    @classmethod
    def of(cls, rule: Rule | Tap) -> Tap:
        """Return a tap as it is, and a rule as a tap without options."""
        return rule if isinstance(rule, Tap) else cls(rule)

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of the element to take, one a level: from the name's end and from `item`."""
        inside = self.rule.partition(":")[2] if isinstance(self.rule, str) else ""
        texts = [text for text in (inside, "" if self.item is None else str(self.item)) if text]
        return tuple(":".join(texts).split(":")) if texts else ()

    def compares_like(self, other: Tap) -> bool:
        """Whether two taps treat what they read alike."""
        return (self.channel_dim, self.weight) == (other.channel_dim, other.weight)


class Feature(NamedTuple):
    """One tensor that a tap read, or that a user computed."""

    value: Tensor
    """Floating point, with gradient where the pass had one."""
    tap: Tap
    """How it is compared."""
    module: str = ""
    """Name of what returned it; empty where a user did."""
    recorded: bool = True
    """Whether gradients were on when it was computed."""
    channels_last: bool = False
    """Whether all that its module holds works on the last axis."""


class _Pick(NamedTuple):
    """One module of a tap."""

    name: str
    tap: Tap
    channels_last: bool

    @property
    def label(self) -> str:
        """The name of its feature, or what the names of its features begin with."""
        return self.suffixed(":".join([self.name, *self.tap.keys]))

    def suffixed(self, name: str) -> str:
        """Tell the calls of one module apart."""
        return name if self.tap.call is None else f"{name} (call {self.tap.call})"


class FeatureTap:
    """The outputs of named modules in the last forward pass.

    A tap hooks the modules it is given and keeps what they return, tensors that
    carry gradient. `features()` returns them and forgets them, so that no graph
    outlives its step. Wrappers (`DistributedDataParallel`, FSDP, `DataParallel`
    on one device, `torch.compile`, `AveragedModel`) are seen through: names are those
    of the network inside. A deep copy or a pickle of the network is not tapped.

    Args:
        network: The network to tap. The tap does not keep it alive.
        names: What to tap, in this order. Each is a `Tap`, or one of

            - a module's name, as in `network.named_modules()`: `"encoder.stages.4"`;
            - a name with an index into a container: `"encoder.stages[-1]"`;
            - a compiled regular expression, which takes every name that it matches in full;
            - a function of name and module that says yes or no.

            A name may end in `:key` to take one element of a tuple, list, dict or
            dataclass: `"vit:0"`, `"backbone:out"`. Without it all tensors found
            in such an output are taken.

    Raises:
        TapError: If a name or a rule fits no module (the message lists names that exist),
            a module is tapped twice with different options, or the network is scripted.

    Example:
        >>> import torch
        >>> network = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 1), torch.nn.ReLU())
        >>> with FeatureTap(network, ["0"]) as tap:
        ...     _ = network(torch.zeros(2, 3, 4, 4))
        ...     {name: tuple(feature.shape) for name, feature in tap.features().items()}
        {'0': (2, 8, 4, 4)}
    """

    def __init__(self, network: nn.Module, names: Sequence[Rule | Tap]) -> None:
        if not isinstance(network, nn.Module):
            raise TapError(
                f"The network is a {type(network).__name__}, which has no modules to tap. Pass the nn.Module "
                "itself, and say where its logits are by logits=lambda output: ..."
            )
        network = unwrap(network)
        modules: dict[str, nn.Module] = {}
        picks: list[_Pick] = []
        for tap in map(Tap.of, names):
            rule = tap.rule.partition(":")[0] if isinstance(tap.rule, str) else tap.rule
            for name, module in find_modules(network, rule).items():
                modules[name] = module
                picks.append(_Pick(name, tap, works_on_the_last_axis(module)))
        refuse_scripted(network, modules)
        self._picks = tuple(picks)
        hooks = Hooks(network, modules, {pick.name for pick in picks if pick.tap.call is not None})
        self._calls = hooks.calls
        # Runs once: when the tap is closed, or when nobody holds it any more.
        self._release = weakref.finalize(self, hooks.remove)

    @property
    def names(self) -> tuple[str, ...]:
        """What is tapped, rules resolved to names, in the order asked for."""
        return tuple(dict.fromkeys(pick.label for pick in self._picks))

    def features(self) -> dict[str, Tensor]:
        """Return the features of the last forward pass, and forget them.

        Returns:
            One entry a tensor, in the order of the names. A module that returned
            several gives `"name:0"`, `"name:1"` or `"name:key"`.

        Raises:
            TapError: If a tapped module did not run, ran several times in the pass,
                returned no floating-point tensor, has no element of the key asked
                for, or if what it returned was changed in place afterwards.
        """
        return {name: feature.value for name, feature in self.read().items()}

    def read(self) -> dict[str, Feature]:
        """Do as `features`, and say of each how it is compared."""
        found: dict[str, Feature] = {}
        for _, result in self.attempt():
            if isinstance(result, TapError):
                raise result
            for name, feature in result.items():
                if not found.setdefault(name, feature).tap.compares_like(feature.tap):
                    raise TapError(
                        f"{name!r} is tapped twice with different options. Tap it once: name it alone, or "
                        "let the pattern leave it out."
                    )
        return found

    def attempt(self) -> list[tuple[str, dict[str, Feature] | TapError]]:
        """Do as `read` for each tapped module by itself: its features, or what is wrong with it."""
        results: list[tuple[str, dict[str, Feature] | TapError]] = []
        for pick in self._picks:
            try:
                results.append((pick.label, _read(pick, self._calls.get(pick.name, []))))
            except TapError as error:
                results.append((pick.label, error))
        self._calls.clear()
        return results

    def close(self) -> None:
        """Take the hooks off the network and its deep copies, and forget all features. Safe to call twice."""
        self._release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def refuse_without_gradient(views: Sequence[Mapping[str, Feature]], weight: float) -> None:
    """Refuse features that a consistency of this weight cannot teach anything.

    Args:
        views: The features of one image, or of both.
        weight: Of the consistency.

    Raises:
        TapError: If gradients are on, and a module with a weight above 0 returned no
            tensor that carries one.
    """
    modules: dict[str, list[Feature]] = {}
    for name, feature in (item for features in views for item in features.items()):
        if weight * feature.tap.weight > 0 and torch.is_grad_enabled():
            modules.setdefault(feature.module or name, []).append(feature)
    for module, found in modules.items():
        if any(feature.value.requires_grad for feature in found):
            continue
        if all(feature.recorded for feature in found):
            raise TapError(
                f"The features of {module!r} carry no gradient: nothing that they depend on is trained (it "
                "is frozen, or detached inside), so their distance is a constant and has no effect. Tap a "
                "module that is trained, unfreeze it, or give it the weight 0, which measures only."
            )
        raise TapError(
            f"The features of {module!r} carry no gradient, because the module ran without any: under "
            "torch.no_grad, or inside a checkpoint with use_reentrant=True. Run it with gradients, "
            "checkpoint with use_reentrant=False, tap the module that calls the checkpoint, or give it the "
            "weight 0."
        )


def _read(pick: _Pick, calls: Sequence[Call]) -> dict[str, Feature]:
    """Read the one call that is meant."""
    name, number = pick.name, pick.tap.call
    if not calls:
        raise TapError(
            f"The tapped module {name!r} did not run since the features were last read. Run the "
            "network before reading, tap a module that every forward pass calls, and attach the tap "
            "before the first call of a compiled network (or call torch.compiler.reset() after "
            "attaching it)."
        )
    if number is None and len(calls) > 1:
        raise TapError(
            f"The tapped module {name!r} ran {len(calls)} times in one pass, so it has no one output. "
            f"Tap a module that runs once, or say which call is meant: Tap({name!r}, call=-1) takes the last."
        )
    if number is not None and not -len(calls) <= number < len(calls):
        raise TapError(
            f"The tapped module {name!r} ran {len(calls)} times in one pass, and the tap asks for call "
            f"{number}. Calls are counted from 0."
        )
    call = calls[number or 0]
    found = take_tensors(name, pick.tap.keys, call.output)
    for key, tensor in found.items():
        if (
            key.removeprefix(name) in call.versions
            and tensor._version != call.versions[key.removeprefix(name)]
        ):
            raise TapError(
                f"The output of the tapped module {key!r} was changed in place after the module had returned "
                "it. Tap the module that changes it (the one that follows), or let that module make a new "
                "tensor: nn.ReLU(inplace=False), `x = x + y` for `x += y`."
            )
    return {
        pick.suffixed(key): Feature(tensor, pick.tap, name, call.recorded, pick.channels_last)
        for key, tensor in found.items()
    }
