"""Tiny models of the DINO family, in the files that their library writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import transformers

from s2s2.core.pretrained import silenced

SIZES: dict[str, Any] = {
    "hidden_size": 24,
    "num_hidden_layers": 8,
    "num_attention_heads": 2,
    "image_size": 28,
    "layerscale_value": 0.5,
}
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "dinov2": ("Dinov2", {"patch_size": 14, "mlp_ratio": 2, "drop_path_rate": 0.5}),
    "dinov2_with_registers": ("Dinov2WithRegisters", {"patch_size": 14, "mlp_ratio": 2}),
    "dinov3_vit": ("DINOv3ViT", {"patch_size": 16, "intermediate_size": 48, "num_register_tokens": 3}),
}


def save_tiny(kind: str, folder: Path) -> Any:
    """Write a model of random weights and return it."""
    name, own = KINDS[kind]
    torch.manual_seed(0)
    with silenced(transformers):
        config = getattr(transformers, f"{name}Config")(**SIZES, **own)
        model = getattr(transformers, f"{name}Model")(config).eval()
        for parameter in model.parameters():
            parameter.data += 0.1 * torch.randn_like(parameter)  # no ones and zeros, which hide a mistake
        model.save_pretrained(folder)
    return model
