"""Tensors in what a module or a network returns: alone, or in tuples, lists, dicts and dataclasses."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any, TypeGuard

import torch
from torch import Tensor

from s2s2.errors import ShapeError, TapError


def elements(output: object) -> Iterator[tuple[str, object]]:
    """Yield the elements of a container and their keys as text; nothing of what is none."""
    if isinstance(output, Mapping):
        yield from ((str(key), value) for key, value in output.items())
    elif isinstance(output, list | tuple):
        yield from ((str(index), value) for index, value in enumerate(output))
    elif _is_record(output):
        yield from ((field.name, getattr(output, field.name)) for field in dataclasses.fields(output))


def named_tensors(name: str, output: object) -> Iterator[tuple[str, Tensor]]:
    """Yield the floating-point tensors at any depth, each named by its keys.

    Example:
        >>> dict(named_tensors("vit", (torch.zeros(2), {"hidden": [torch.ones(2)]}))).keys()
        dict_keys(['vit:0', 'vit:1:hidden:0'])
    """
    if isinstance(output, Tensor) and torch.is_floating_point(output):
        yield name, output
    for key, value in elements(output):
        yield from named_tensors(f"{name}:{key}", value)


def take_tensors(name: str, keys: tuple[str, ...], output: object) -> dict[str, Tensor]:
    """Name the floating-point tensors in a module's output, or in one element of it.

    Args:
        name: The module's name, for the keys and for errors.
        keys: Which element: a key for each level; none takes the whole output.
        output: What the module returned.

    Raises:
        TapError: If there is no such element, or no tensor in it.
    """
    asked = ":".join([name, *keys])
    element = output
    for key in keys:
        inside = dict(elements(element))
        if key not in inside:
            raise TapError(
                f"The tap {asked!r} asks for element {key!r} of an output ({type(element).__name__}) that "
                f"has no such element. Its elements are: {', '.join(inside) or 'none'}. Name one of them."
            )
        element = inside[key]
    if found := dict(named_tensors(asked, element)):
        return found
    raise TapError(
        f"The tapped module {asked!r} returned {type(element).__name__}, which holds no floating-point "
        "tensor. Tap a module that returns a tensor, or a tuple, list, dict or dataclass of tensors."
    )


def map_tensors(change: Callable[[Tensor], Tensor], output: Any) -> Any:
    """Return the same structure with every tensor changed; what is no tensor stays.

    Example:
        >>> map_tensors(lambda x: x + 1, {"out": torch.zeros(1), "aux": [torch.ones(1), None]})
        {'out': tensor([1.]), 'aux': [tensor([2.]), None]}
    """
    if isinstance(output, Tensor):
        return change(output)
    if _is_record(output):
        fields = [field.name for field in dataclasses.fields(output) if field.init]
        return dataclasses.replace(
            output, **{name: map_tensors(change, getattr(output, name)) for name in fields}
        )
    if isinstance(output, Mapping):
        changed = copy.copy(output) if isinstance(output, MutableMapping) else dict(output)
        for key, value in output.items():
            changed[key] = map_tensors(change, value)
        return changed
    if isinstance(output, list | tuple):
        values = [map_tensors(change, value) for value in output]
        return type(output)(*values) if hasattr(output, "_fields") else type(output)(values)
    return output


def halves(name: str, output: Any, count: int) -> tuple[Any, Any]:
    """Split every tensor of a structure between two batches of `count` images each.

    Raises:
        ShapeError: If the first axis of a tensor is not the batch of both.
    """

    def half(part: slice) -> Callable[[Tensor], Tensor]:
        def take(tensor: Tensor) -> Tensor:
            if tensor.ndim == 0 or len(tensor) != 2 * count:
                raise ShapeError(
                    f"The features of {name!r} have shape {tuple(tensor.shape)} for {2 * count} images, so "
                    "the first axis is not the batch. Tap another module, take the logits alone out of the "
                    "output (logits=lambda output: ...), or use forward_pass='separate'."
                )
            return tensor[part]

        return take

    return map_tensors(half(slice(count)), output), map_tensors(half(slice(count, None)), output)


def _is_record(output: object) -> TypeGuard[Any]:
    return dataclasses.is_dataclass(output) and not isinstance(output, type)
