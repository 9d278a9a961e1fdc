"""Rules that name the modules to tap."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable

import torch
from torch import nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.conv import _ConvNd
from torch.optim.swa_utils import AveragedModel

from s2s2.errors import TapError

Rule = str | re.Pattern[str] | Callable[[str, nn.Module], bool]
"""A module's name, a pattern that names must match in full, or a test of name and module."""

_WRAPPERS = ("_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module", "_forward_module")
"""Where a wrapper keeps the module inside: torch.compile, FSDP, checkpoint_wrapper, Lightning Fabric."""

_WRAPPED = re.compile(rf"(^|\.)({'|'.join(_WRAPPERS)})(?=\.|$)")
_NAMES_SHOWN = 12


def unwrap(network: nn.Module) -> nn.Module:
    """Return the network inside `torch.compile`, `DistributedDataParallel`, `AveragedModel` and their like.

    Example:
        >>> network = nn.Conv2d(3, 8, 1)
        >>> unwrap(nn.DataParallel(network)) is network
        True
    """
    while True:
        if isinstance(network, nn.DataParallel | nn.parallel.DistributedDataParallel | AveragedModel):
            network = network.module
            continue
        inside = (getattr(network, name, None) for name in _WRAPPERS)
        if (found := next((module for module in inside if isinstance(module, nn.Module)), None)) is None:
            return network
        network = found


def find_modules(network: nn.Module, rule: Rule) -> dict[str, nn.Module]:
    """Turn a rule into the modules that it means, by name.

    Args:
        network: The network to search. What wrappers add to names (`_orig_mod.`) is left out.
        rule: See `FeatureTap`; of a name, the module's part alone.

    Raises:
        TapError: If nothing fits.

    Example:
        >>> network = nn.Sequential(nn.Conv2d(3, 8, 1), nn.ReLU(), nn.Conv2d(8, 2, 1))
        >>> list(find_modules(network, "[-1]"))
        ['2']
        >>> list(find_modules(network, lambda name, module: isinstance(module, nn.Conv2d)))
        ['0', '2']
    """
    modules = _modules(network)
    if isinstance(rule, str):
        name = _replace_indices(network, _clean(rule))
        while _submodule(network, name) is None and name.startswith("module."):
            name = name.removeprefix("module.")  # as DistributedDataParallel names it
        if (module := _submodule(network, name)) is not None:
            return {name: module}
        raise TapError(_no_such_module(network, list(modules), f"has no module {rule!r}", name))
    if isinstance(rule, re.Pattern):
        shown, found = rule.pattern, {n: module for n, module in modules.items() if rule.fullmatch(n)}
    else:
        shown = getattr(rule, "__name__", repr(rule))
        found = {name: module for name, module in modules.items() if rule(name, module)}
    if found:
        return found
    raise TapError(
        _no_such_module(network, list(modules), f"has no module that fits the rule {shown!r}", shown)
    )


def refuse_scripted(network: nn.Module, names: Iterable[str]) -> None:
    """Refuse modules that run outside of Python, where hooks are not called.

    Raises:
        TapError: If one of them is part of a `torch.jit.ScriptModule`.
    """
    for name in names:
        if any(isinstance(module, torch.jit.ScriptModule) for module in _path(network, name)):
            raise TapError(
                f"The module {name!r} is part of a scripted or traced network, whose modules cannot be "
                "tapped. Pass the network as it was before torch.jit, or tap nothing (alpha_enc=0)."
            )


def works_on_the_last_axis(module: nn.Module) -> bool:
    """Tell whether a module holds layers for channels in the last axis, and none for channels in axis 1.

    Example:
        >>> works_on_the_last_axis(nn.Sequential(nn.LayerNorm(8), nn.Linear(8, 8)))
        True
    """
    parts = list(module.modules())
    first = any(isinstance(part, _ConvNd | _NormBase | nn.GroupNorm) for part in parts)
    return not first and any(isinstance(part, nn.Linear | nn.LayerNorm) for part in parts)


def _modules(network: nn.Module) -> dict[str, nn.Module]:
    """All modules by name; of a wrapper and what it wraps, the wrapper."""
    modules: dict[str, nn.Module] = {}
    for name, module in network.named_modules():
        modules.setdefault(_clean(name), module)
    modules.pop("", None)
    return modules


def _path(network: nn.Module, name: str) -> list[nn.Module]:
    """The modules from a network down to one of its parts, as far as there are any."""
    path = [network]
    for part in name.split("."):
        if not isinstance(inside := getattr(path[-1], part, None), nn.Module):
            break
        path.append(inside)
    return path


def _submodule(network: nn.Module, name: str) -> nn.Module | None:
    path = _path(network, name)
    return path[-1] if len(path) == len(name.split(".")) + 1 else None


def _clean(name: str) -> str:
    return _WRAPPED.sub("", name).lstrip(".")


def _replace_indices(network: nn.Module, name: str) -> str:
    """Replace each index, as in `stages[-1]`, by the name of that child."""
    while match := re.search(r"\[(-?\d+)\]", name):
        before, index = name[: match.start()], int(match[1])
        parent = _submodule(network, before) if before else network
        children = [] if parent is None else list(unwrap(parent)._modules)
        if not -len(children) <= index < len(children):
            return name
        name = f"{before}.{children[index]}".lstrip(".") + name[match.end() :]
    return name


def _no_such_module(network: nn.Module, names: list[str], what: str, wanted: str) -> str:
    nearest = difflib.get_close_matches(wanted, names, n=_NAMES_SHOWN, cutoff=0.0)
    more = f" and {len(names) - len(nearest)} more" if len(names) > len(nearest) else ""
    return (
        f"The network ({type(network).__name__}) {what}. Modules that exist, nearest names first: "
        f"{', '.join(nearest) or 'none'}{more}. Give one of them; network.named_modules() lists all."
    )
