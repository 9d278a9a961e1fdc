"""Inference on whole images: one pass, or a sliding window where training saw crops."""

from __future__ import annotations

import torch
from torch import Tensor, nn

OVERLAP = 0.5


def infer_logits(network: nn.Module, images: Tensor, patch: int | None, *, windows: int = 8) -> Tensor:
    """Return logits of whole images, by one pass or by a sliding window.

    Args:
        network: Maps images to logits of the same height and width.
        images: Normalised, (batch, channel, height, width).
        patch: Side of the square window in pixels, None for one pass. Windows
            overlap by half and are averaged with Gaussian weights.
        windows: Windows that go through the network at once.

    Shape:
        - returns: (batch, class, height, width).
    """
    if patch is None or patch >= max(images.shape[-2:]):
        logits: Tensor = network(images)
        return logits
    from monai.inferers.utils import sliding_window_inference

    swept = sliding_window_inference(
        images, (patch, patch), windows, network, overlap=OVERLAP, mode="gaussian"
    )
    if not isinstance(swept, torch.Tensor):
        raise TypeError(f"A network must return one tensor of logits, got {type(swept).__name__}.")
    return swept
