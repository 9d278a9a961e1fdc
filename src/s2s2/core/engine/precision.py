"""Numerical precision: what `auto` stands for on this machine."""

from __future__ import annotations

from typing import Any, Literal

import torch

from s2s2.core.engine.config import OptimisationConfig

_DTYPES = {"32-true": torch.float32, "16-mixed": torch.float16, "bf16-mixed": torch.bfloat16}


def precision_of(config: OptimisationConfig) -> Literal["32-true", "16-mixed", "bf16-mixed"]:
    """Return the precision that Lightning is asked for.

    `auto` is 16-bit mixed on a GPU and 32-bit on a CPU. A tuning (`AUTO_BFLOAT16`) takes bfloat16
    instead, on a GPU or CPU that computes in it: a generator does not care for its 8 bits of precision.
    A training does not: a network that is scored has the same weights on every CPU generation.
    """
    if config.precision != "auto":
        return config.precision
    if torch.cuda.is_available():
        return "bf16-mixed" if config.AUTO_BFLOAT16 and torch.cuda.is_bf16_supported() else "16-mixed"
    # A processor that has to imitate bfloat16 is ten times slower in it; one that has it a third faster.
    found: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    fast = bool(found.get("avx512_bf16") or found.get("amx_bf16"))
    return "bf16-mixed" if config.AUTO_BFLOAT16 and fast else "32-true"


def dtype_of(config: OptimisationConfig) -> torch.dtype:
    """Return the type that matrix products are computed in."""
    return _DTYPES[precision_of(config)]
