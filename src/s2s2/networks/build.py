"""Building of networks: the built-in one, or any `nn.Module` by import path."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib import import_module
from typing import Any

import torch
from torch import nn

from s2s2.errors import NetworkError, S2S2Error
from s2s2.networks.catalogue import BUILT_IN, BuiltIn
from s2s2.networks.config import NetworkConfig
from s2s2.networks.outputs import brief, check_output
from s2s2.objective import FeatureTap


def taps(config: NetworkConfig) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of the encoder's and the decoder's taps.

    Example:
        >>> taps(NetworkConfig())
        (('encoder.stages.4',), ('decoder.blocks.3',))
    """
    encoder, decoder = tuple(config.encoder_taps), tuple(config.decoder_taps)
    if config.name not in BUILT_IN:
        return encoder, decoder
    network = BUILT_IN[config.name].load()
    return encoder or network.encoder_taps, decoder or network.decoder_taps


def build_network(
    config: NetworkConfig, *, channels: int, classes: int, size: int | tuple[int, int] | None = None
) -> nn.Module:
    """Build a network and check its taps; with `size`, what it returns as well.

    Args:
        config: Which network.
        channels: Of the images.
        classes: Of the logits, background included, at least 2.
        size: Height and width of the images in pixels, or the side of a square. Where it
            is given, two black images of this size go through the network.

    Returns:
        A module that maps (batch, channel, height, width) to logits (batch, class, height, width).

    Raises:
        NetworkError: If there is no such network, if it does not take these arguments,
            or if it does not return logits of the images' size for all classes.
        TapError: If a tap names no module; the message lists names that exist.

    Example:
        >>> network = build_network(NetworkConfig(pretrained=False), channels=3, classes=2, size=64)
        >>> network(torch.zeros(1, 3, 96, 96)).shape
        torch.Size([1, 2, 96, 96])
    """
    if config.name in BUILT_IN:
        make: Callable[..., Any] = BUILT_IN[config.name].load()
        arguments = {"channels": channels, "classes": classes, **_start(BUILT_IN[config.name], config)}
        arguments |= _fill(config.init_args, channels=channels, classes=classes)
    else:
        _refuse_weights(config)
        make = _find(config.name)
        arguments = _fill(config.init_args, channels=channels, classes=classes)
    network = _construct(config.name, make, arguments)
    with FeatureTap(network, [*config.encoder_taps, *config.decoder_taps]) as tap:
        if size is not None:
            sides = (size, size) if isinstance(size, int) else size
            check_output(config.name, network, torch.zeros(2, channels, *sides), classes)
            tap.features()
    return network


def completed(config: NetworkConfig) -> NetworkConfig:
    """Return a configuration whose network can be built again without its pretrained weights.

    Where the architecture is that of the weights, it becomes part of `init_args`, and so of the card of the
    trained network.

    Raises:
        NetworkError: If the weights are not found, or of another kind.
    """
    if config.name not in BUILT_IN or config.weights is None:
        return config
    init_args_of = getattr(BUILT_IN[config.name].load(), "init_args_of", None)
    if init_args_of is None:
        return config
    return replace(config, init_args={**init_args_of(config.weights), **config.init_args})


def _start(built_in: BuiltIn, config: NetworkConfig) -> dict[str, Any]:
    """Return the arguments that say what a built-in network starts from."""
    if built_in.inside:
        _refuse_weights(config)
        return {"pretrained": config.pretrained}
    if config.pretrained and config.weights is None:
        raise NetworkError(
            f"The network {config.name} starts from pretrained weights ({built_in.weights}; licence "
            f"{built_in.licence}), and none are given. Give their file, their folder or their hub id by "
            "--network.weights, or take random ones by --network.pretrained false."
        )
    return {"weights": config.weights}


def _refuse_weights(config: NetworkConfig) -> None:
    if config.weights is not None:
        takers = [each.name for each in BUILT_IN.values() if not each.inside]
        raise NetworkError(
            f"The network {config.name} takes no --network.weights, got {config.weights}. They go with "
            f"{', '.join(takers)}."
        )


def _find(path: str) -> Callable[..., Any]:
    module, _, name = path.replace(":", ".").rpartition(".")
    if not module:
        raise NetworkError(
            f"There is no network named {path!r}. Expected one of {', '.join(BUILT_IN)}, or an import path "
            "such as monai.networks.nets.UNet."
        )
    try:
        found = getattr(import_module(module), name)
    except (ImportError, ValueError, TypeError) as error:
        missing = getattr(error, "name", None) or module
        raise NetworkError(
            f"The network {path!r} cannot be imported: there is no module {missing!r}. Check the import "
            "path, or install the package that has it."
        ) from error
    except AttributeError as error:
        near = [key for key, value in vars(import_module(module)).items() if inspect.isclass(value)]
        raise NetworkError(
            f"The network {path!r} cannot be imported: {module!r} has no {name!r}. Classes it has: "
            f"{', '.join(sorted(near)[:20]) or 'none'}."
        ) from error
    if not callable(found):
        raise NetworkError(
            f"{path!r} is a {type(found).__name__}, expected a class or function of a network."
        )
    return found  # type: ignore[no-any-return]


def require_module_class(path: str) -> None:
    """Import a network that the user trusts, and refuse what is no class of a network before it is called.

    Raises:
        NetworkError: If it cannot be imported or is no subclass of `nn.Module`.
    """
    found = _find(path)
    if not (inspect.isclass(found) and issubclass(found, nn.Module)):
        raise NetworkError(
            f"{path!r} is {type(found).__name__} {getattr(found, '__name__', '')!r}, expected a subclass of "
            "torch.nn.Module: nothing else that a file names is called. Wrap it in a class, and train that."
        )


def _construct(name: str, make: Callable[..., Any], arguments: dict[str, Any]) -> nn.Module:
    signature = inspect.signature(make)
    try:
        signature.bind(**arguments)
    except TypeError as error:
        raise NetworkError(
            f"The network {name} does not take init_args {arguments}: {error}. It takes {signature}. Use "
            "'{channels}' and '{classes}' where it wants these numbers."
        ) from error
    try:
        network = make(**arguments)
    except S2S2Error:
        raise
    except Exception as error:  # whatever a foreign constructor raises, the user reads one paragraph
        raise NetworkError(
            f"The network {name} cannot be built with init_args {arguments}: {brief(error)}. Change the "
            "arguments to what this network needs, or install the package that it asks for."
        ) from error
    if not isinstance(network, nn.Module):
        raise NetworkError(f"{name} made a {type(network).__name__}, expected a torch.nn.Module.")
    return network


def _fill(value: Any, **numbers: int) -> Any:
    """Replace the texts that stand for numbers, at any depth."""
    if isinstance(value, Mapping):
        return {key: _fill(item, **numbers) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_fill(item, **numbers) for item in value]
    if isinstance(value, str) and value.startswith("{") and value[1:-1] in numbers:
        return numbers[value[1:-1]]
    return value
