"""Pretrained weights: files of tensors that run no code, and strict loading of them into a network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from s2s2.core.pretrained import PICKLED, TEXTS, digest_of, find_model
from s2s2.errors import NetworkError, listed
from s2s2.networks.config import NetworkConfig

FETCHED = (*TEXTS, "*.safetensors", "*.npz")
"""What is fetched of a model on the hub."""
_ENDINGS = (".safetensors", ".npz")


def find_weights(source: str) -> Path:
    """Return the file or folder of pretrained weights, fetched from the hub where it is named by its id.

    Raises:
        NetworkError: If there is none, or the file is pickled or of another format.
    """
    path = Path(source).expanduser()
    if not path.is_file():
        return find_model(source, FETCHED, wanted="a file or folder of weights", error=NetworkError)
    _refuse_other_formats(path)
    return path


def weights_digest(source: str) -> str:
    """Return what identifies pretrained weights by their content.

    Raises:
        NetworkError: If there are none.
    """
    found = find_weights(source)
    files = [found] if found.is_file() else [path for path in found.iterdir() if path.suffix in _ENDINGS]
    config = found / "config.json"
    return digest_of({path.name: path for path in (*files, *([config] if config.is_file() else ()))})


def network_inputs(config: NetworkConfig) -> dict[str, Any]:
    """Return all that an untrained network depends on: its settings, with its weights by their content.

    Raises:
        NetworkError: If its pretrained weights are not found.
    """
    weights = None if config.weights is None else weights_digest(config.weights)
    return {**config.to_dict(), "weights": weights}


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read the tensors of one file by their names, in single precision where they are floats.

    Args:
        path: `.safetensors`, or `.npz` as NumPy writes it; of a folder, the one such file in it.

    Raises:
        NetworkError: If it is pickled, corrupt, or holds anything but numbers.
    """
    if path.is_dir():
        path = _single(path)
    _refuse_other_formats(path)
    try:
        if path.suffix == ".safetensors":
            tensors = load_file(path)
        else:
            with np.load(path, allow_pickle=False) as arrays:
                tensors = {name: torch.from_numpy(np.array(arrays[name])) for name in arrays.files}
    except (OSError, ValueError, TypeError, KeyError, EOFError, SafetensorError) as error:
        raise NetworkError(
            f"{path} cannot be read ({type(error).__name__}: {error}), expected tensors by their names. Copy "
            "it again from where it came from."
        ) from error
    return {name: each.float() if each.is_floating_point() else each for name, each in tensors.items()}


def load_exactly(network: nn.Module, tensors: Mapping[str, Tensor], source: str | Path) -> None:
    """Load tensors into a network that has exactly these, and name those that differ.

    Args:
        network: What gets them; it stays as it was where they do not fit.
        tensors: By the names of its `state_dict`.
        source: Where they are from, for the error.

    Raises:
        NetworkError: If a tensor is missing, left over or of another shape.
    """
    wanted = network.state_dict()
    missing = [name for name in wanted if name not in tensors]
    left_over = [name for name in tensors if name not in wanted]
    other = [
        f"{name} {tuple(tensors[name].shape)} for {tuple(wanted[name].shape)}"
        for name in wanted
        if name in tensors and tensors[name].shape != wanted[name].shape
    ]
    faults = {"it lacks": missing, "it has as well": left_over, "other shapes": other}
    found = "; ".join(f"{what} {listed(names)}" for what, names in faults.items() if names)
    if found:
        raise NetworkError(
            f"The weights in {source} do not fit the network ({len(wanted)} tensors): {found}. Give weights "
            "of this very network, or change its init_args to those that the weights are of."
        )
    network.load_state_dict(dict(tensors))


def _single(folder: Path) -> Path:
    found = sorted(path for path in folder.iterdir() if path.suffix in _ENDINGS)
    if len(found) == 1:
        return found[0]
    if not found:
        for path in sorted(folder.iterdir()):
            _refuse_pickled(path)
    names = listed([path.name for path in found]) or "no weights"
    raise NetworkError(
        f"{folder} holds {names}, expected one file that ends in {' or '.join(_ENDINGS)}. Give the file."
    )


def _refuse_other_formats(path: Path) -> None:
    _refuse_pickled(path)
    if path.suffix not in _ENDINGS:
        raise NetworkError(
            f"{path} is no file of weights that is read, expected one that ends in {' or '.join(_ENDINGS)}. "
            "Convert it with safetensors.torch.save_file."
        )


def _refuse_pickled(path: Path) -> None:
    if path.suffix in PICKLED:
        raise NetworkError(
            f"{path} is pickled, and a pickle can run code when it is opened, so none is. Take the model's "
            "safetensors file; or, if you trust its source, convert it with torch.load(path) and "
            "safetensors.torch.save_file(tensors, new_path)."
        )
