"""Rules that name the modules to tap, and the tensors in a module's output."""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from typing import TypeGuard

import torch
from torch import Tensor, nn

from s2s2.errors import TapError

Rule = str | re.Pattern[str] | Callable[[str, nn.Module], bool]
"""A module's name, a pattern that names must match in full, or a test of name and module."""

_NAMES_SHOWN = 12


def find_modules(network: nn.Module, rule: Rule) -> list[tuple[str, str | None]]:
    """Turn a rule into pairs of a module's name and the key of its output, or None.

    Args:
        network: The network to search.
        rule: See `FeatureTap`.

    Raises:
        TapError: If nothing fits.

    Example:
        >>> network = nn.Sequential(nn.Conv2d(3, 8, 1), nn.ReLU(), nn.Conv2d(8, 2, 1))
        >>> find_modules(network, "2:out")
        [('2', 'out')]
        >>> find_modules(network, lambda name, module: isinstance(module, nn.Conv2d))
        [('0', None), ('2', None)]
    """
    modules = {name: module for name, module in network.named_modules() if name}
    if isinstance(rule, str):
        name, _, key = rule.partition(":")
        name = _replace_indices(network, name)
        if name in modules:
            return [(name, key or None)]
        raise TapError(_no_such_module(network, list(modules), f"has no module {rule!r}", name))
    if isinstance(rule, re.Pattern):
        shown, names = rule.pattern, [name for name in modules if rule.fullmatch(name)]
    else:
        shown = getattr(rule, "__name__", repr(rule))
        names = [name for name, module in modules.items() if rule(name, module)]
    if names:
        return [(name, None) for name in names]
    raise TapError(
        _no_such_module(network, list(modules), f"has no module that fits the rule {shown!r}", shown)
    )


def _replace_indices(network: nn.Module, name: str) -> str:
    """Replace each index, as in `stages[-1]`, by the name of that child."""
    modules = dict(network.named_modules())
    while match := re.search(r"\[(-?\d+)\]", name):
        before, index = name[: match.start()], int(match[1])
        children = [child for child, _ in modules[before].named_children()] if before in modules else []
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


def take_tensors(name: str, key: str | None, output: object) -> dict[str, Tensor]:
    """Name the floating-point tensors in a module's output.

    Args:
        name: The module's name, for the keys and for errors.
        key: The one element to take, or None for all.
        output: A tensor, or a tuple, list, dict or dataclass that holds tensors at any depth.

    Raises:
        TapError: If there is no such tensor.

    Example:
        >>> list(take_tensors("vit", None, (torch.zeros(2), {"hidden": [torch.ones(2)]})))
        ['vit:0', 'vit:1:hidden:0']
    """
    if key is None:
        found = dict(_named(name, output))
        if found:
            return found
        raise TapError(
            f"The tapped module {name!r} returned {type(output).__name__}, which holds no floating-point "
            "tensor. Tap a module that returns a tensor, or a tuple, list, dict or dataclass of tensors."
        )
    elements = dict(_elements(output))
    if _is_feature(element := elements.get(key)):
        return {f"{name}:{key}": element}
    raise TapError(
        f"The tap '{name}:{key}' asks for element {key!r} of an output ({type(output).__name__}) that has no "
        f"such tensor. Its elements are: {', '.join(elements) or 'none'}. Name one that is a tensor."
    )


def _named(name: str, output: object) -> Iterator[tuple[str, Tensor]]:
    if _is_feature(output):
        yield name, output
    for key, value in _elements(output):
        yield from _named(f"{name}:{key}", value)


def _elements(output: object) -> Iterator[tuple[str, object]]:
    if isinstance(output, Mapping):
        yield from ((str(key), value) for key, value in output.items())
    elif isinstance(output, list | tuple):
        yield from ((str(index), value) for index, value in enumerate(output))
    elif dataclasses.is_dataclass(output):
        yield from ((field.name, getattr(output, field.name)) for field in dataclasses.fields(output))


def _is_feature(value: object) -> TypeGuard[Tensor]:
    return isinstance(value, Tensor) and torch.is_floating_point(value)
