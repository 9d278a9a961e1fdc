"""The encoder: a vision transformer of the DINO family, by the classes of transformers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import torch.nn.functional as F
from torch import Tensor, nn

from s2s2.core.pretrained import load_pretrained, silenced
from s2s2.core.storage import parse_json
from s2s2.errors import NetworkError
from s2s2.networks.weights import find_weights

SMALL = {"model_type": "dinov2", "hidden_size": 384, "num_hidden_layers": 12, "num_attention_heads": 6}
"""What a network without weights has: the small one of DINOv2."""
TAKEN = 4
"""From how many blocks features are taken, spread evenly; the last one is the deepest."""
_COLOURS = 3
_CLASSES = {
    "dinov2": ("Dinov2Config", "Dinov2Backbone"),
    "dinov2_with_registers": ("Dinov2WithRegistersConfig", "Dinov2WithRegistersBackbone"),
    "dinov3_vit": ("DINOv3ViTConfig", "DINOv3ViTBackbone"),
}
"""By `model_type`: classes of the configuration and of the network."""
_NO_ARCHITECTURE = {
    "_name_or_path",
    "architectures",
    "auto_map",
    "dtype",
    "out_features",
    "out_indices",
    "stage_names",
    "torch_dtype",
    "transformers_version",
}
"""Entries of config.json that the architecture does not depend on, or that are decided here."""


def model_folder(weights: str) -> Path:
    """Return the folder of a model, fetched from the hub where it is named by its id.

    Raises:
        NetworkError: If there is none, or it is a file.
    """
    folder = find_weights(weights)
    if folder.is_file():
        raise NetworkError(
            f"{weights} is a file, expected the folder of a model, with config.json and model.safetensors. "
            "Give the folder, or a hub id such as facebook/dinov2-small."
        )
    return folder


def architecture(folder: Path) -> dict[str, Any]:
    """Return what config.json says of the architecture.

    Raises:
        NetworkError: If there is no such file, or it is that of another kind of model.
    """
    content, _ = parse_json(folder / "config.json", error=NetworkError)
    if not isinstance(content, dict) or content.get("model_type") not in _CLASSES:
        kind = content.get("model_type") if isinstance(content, dict) else None
        raise NetworkError(
            f"{folder} holds a model of type {kind!r}, expected one of {', '.join(_CLASSES)}. Give one of "
            "DINOv2 or DINOv3 (vision transformer), such as facebook/dinov2-small."
        )
    return {name: value for name, value in content.items() if name not in _NO_ARCHITECTURE}


class Encoder(nn.Module):
    """Features of four blocks on the grid of the patches.

    Images are interpolated to the next multiple of the patch. Images of other than 3 channels are averaged
    and repeated. A frozen encoder stays in evaluation mode and learns nothing; as none of its weights asks
    for a gradient, no activation is kept for one.

    Args:
        settings: Architecture, as `architecture` gives it.
        frozen: Whether it stays as it is.
        folder: Its weights; None makes random ones.

    Shape:
        - images: (batch, channel, height, width).
        - returns: four times (batch, width, rows, columns), the deepest last.

    Raises:
        NetworkError: If transformers is missing or too old, the architecture is of another kind or has fewer
            than four blocks, or the weights do not fit it.
    """

    def __init__(self, settings: Mapping[str, Any], *, frozen: bool, folder: Path | None) -> None:
        super().__init__()
        self.backbone = _backbone(settings, folder)
        self.frozen = frozen
        for name, parameter in self.backbone.named_parameters():
            # Only the pretraining masks patches.
            parameter.requires_grad_(not frozen and not name.endswith("mask_token"))
        self.train()

    @property
    def width(self) -> int:
        """Channels of each of its features."""
        return int(self.backbone.config.hidden_size)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return the features of the blocks, the deepest last."""
        if images.shape[1] != _COLOURS:
            images = images.mean(1, keepdim=True).expand(-1, _COLOURS, -1, -1)
        patch = self.backbone.config.patch_size
        size = [-(-side // patch) * patch for side in images.shape[-2:]]
        if size != list(images.shape[-2:]):
            images = F.interpolate(images, size=size, mode="bilinear", align_corners=False)
        return list(self.backbone(images).feature_maps)

    def train(self, mode: bool = True) -> Self:
        """Set the mode; what is frozen stays in evaluation mode, without dropout or stochastic depth."""
        super().train(mode)
        if self.frozen:
            self.backbone.eval()
        return self


def _backbone(settings: Mapping[str, Any], folder: Path | None) -> Any:
    kind = settings.get("model_type")
    if kind not in _CLASSES:
        raise NetworkError(f"The encoder is of type {kind!r}, expected one of {', '.join(_CLASSES)}.")
    try:
        import transformers

        config_class, network_class = (getattr(transformers, name) for name in _CLASSES[kind])
    except (ImportError, AttributeError) as error:
        raise NetworkError(
            f"An encoder of type {kind} needs a recent version of transformers. Install it with pip install "
            "--upgrade 's2s2[networks]'."
        ) from error
    config = config_class(**{name: value for name, value in settings.items() if name != "model_type"})
    blocks = config.num_hidden_layers
    if blocks < TAKEN:
        raise NetworkError(f"The encoder has {blocks} blocks, expected at least {TAKEN}.")
    config.out_indices = [blocks * (index + 1) // TAKEN for index in range(TAKEN)]
    with silenced(transformers):
        if folder is None:
            return network_class(config)
        return load_pretrained(network_class, folder, error=NetworkError, config=config)
