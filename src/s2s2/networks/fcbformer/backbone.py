"""PVTv2 backbone: its settings, and its weights out of a folder in the layout of transformers."""

from __future__ import annotations

from collections.abc import Sequence
from math import lcm
from pathlib import Path
from typing import Any

from torch import nn

from s2s2.core.pretrained import load_pretrained, silenced
from s2s2.core.storage import read_json
from s2s2.errors import NetworkError
from s2s2.networks.built_in import repeat_stem
from s2s2.networks.fcbformer.blocks import GROUPS
from s2s2.networks.weights import find_weights

HEADS = (1, 2, 5, 8)
"""Attention heads of the four stages."""

_SHARED = {
    "num_channels": 3,
    "num_attention_heads": HEADS,
    "mlp_ratios": (8, 8, 4, 4),
    "sr_ratios": (8, 4, 2, 1),
    "patch_sizes": (7, 3, 3, 3),
    "strides": (4, 2, 2, 2),
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-6,
    "qkv_bias": True,
    "linear_attention": False,
}
"""What PVTv2-b1 to b4 have in common: a model that differs in one of these computes something else."""


def build_backbone(channels: int, widths: Sequence[int], depths: Sequence[int], weights: str | None) -> Any:
    """Return a PVTv2 that gives the output of all four stages, as `feature_maps`.

    Args:
        channels: Of the images.
        widths: Channels of the four stages, multiples of 32 and of the stage's attention heads.
        depths: Transformer blocks of the four stages.
        weights: Folder or hub id of a PVTv2 in the layout of transformers, the backbone alone or with its
            classifier, which is left out; None for random ones.

    Raises:
        NetworkError: If transformers is not installed, the numbers are no such stages, or the weights are
            none of a PVTv2 with these settings.
    """
    _check_stages(widths, depths)
    transformers = _library()
    settings = {**_SHARED, "hidden_sizes": tuple(widths), "depths": tuple(depths)}
    # Dropped paths are no part of the published training, whatever the model was pretrained with.
    config = transformers.PvtV2Config(**_lists(settings), out_indices=[0, 1, 2, 3])
    if weights is None:
        backbone = transformers.PvtV2Backbone(config)
    else:
        folder = _check_folder(find_weights(weights), settings, transformers.PvtV2Config())
        with silenced(transformers):
            backbone = load_pretrained(
                transformers.PvtV2Backbone, folder, error=NetworkError, config=config
            ).train()
    stem = backbone.encoder.layers[0].patch_embedding.proj
    stem.weight = nn.Parameter(repeat_stem(stem.weight.detach(), channels))
    stem.in_channels = channels
    return backbone


def _library() -> Any:
    try:
        import transformers
    except ImportError as error:
        raise NetworkError(
            f"fcbformer needs transformers ({error}). Install it with pip install 's2s2[networks]'."
        ) from error
    return transformers


def _check_stages(widths: Sequence[int], depths: Sequence[int]) -> None:
    steps = [lcm(GROUPS, heads) for heads in HEADS]
    fit = len(widths) == len(depths) == len(HEADS) and min(*widths, *depths) > 0
    if not fit or any(width % step for width, step in zip(widths, steps, strict=True)):
        raise NetworkError(
            f"fcbformer got stages of widths {list(widths)} and depths {list(depths)}. Expected four of "
            f"each, at least 1, and widths that are multiples of {steps}."
        )


def _check_folder(folder: Path, settings: dict[str, Any], defaults: Any) -> Path:
    """Refuse models of another kind, or of another size."""
    if folder.is_file():
        raise NetworkError(
            f"{folder} is one file, expected a folder with config.json and model.safetensors, as "
            "save_pretrained of transformers writes a PVTv2. Give the folder."
        )
    content = read_json(folder / "config.json", error=NetworkError)
    kind = content.get("model_type")
    if kind != "pvt_v2":
        raise NetworkError(
            f"{folder} holds a model of type {kind!r}, expected 'pvt_v2'. Give a PVTv2-b3 in the layout of "
            "transformers, such as OpenGVLab/pvt_v2_b3."
        )
    found = {name: content.get(name, getattr(defaults, name)) for name in settings}
    other = [
        f"{name} {_lists(found)[name]} for {value}"
        for name, value in _lists(settings).items()
        if _lists(found)[name] != value
    ]
    if other:
        raise NetworkError(
            f"The PVTv2 in {folder} is of another size than the network: {', '.join(other)}. Give a "
            "PVTv2-b3, or set the init_args widths and depths to hidden_sizes and depths of this one."
        )
    return folder


def _lists(settings: dict[str, Any]) -> dict[str, Any]:
    """Return settings as JSON has them."""
    return {name: list(each) if isinstance(each, tuple) else each for name, each in settings.items()}
