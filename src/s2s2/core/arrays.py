"""Arrays that are kept for the next call, with the digest of what they were made of."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from s2s2.core.inputs import Inputs
from s2s2.core.storage import atomic


def save_arrays(path: Path, arrays: Mapping[str, npt.NDArray[Any]], inputs: Inputs) -> None:
    """Keep arrays as safetensors for the next call, with the digest of what they were made of.

    Raises:
        StorageError: If the file cannot be written.
    """
    from safetensors.numpy import save_file

    whole = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    with atomic(path) as temporary:
        save_file(whole, temporary, {"inputs": inputs.digest})


def load_arrays(path: Path, inputs: Inputs) -> dict[str, npt.NDArray[Any]] | None:
    """Return the arrays that `save_arrays` kept, None where there are none of these inputs.

    A file that cannot be read counts as none: its arrays are made again.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "np") as file:
            if (file.metadata() or {}).get("inputs") != inputs.digest:
                return None
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError):
        return None
