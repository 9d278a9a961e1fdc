"""The hint: the mask in the colours of its classes, which the ControlNet is shown."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from s2s2.data.classes import ClassMap
from s2s2.errors import GeneratorError


def palette(class_map: ClassMap) -> Tensor:
    """Return the colour of each class, (class, 3), in [0, 1].

    Example:
        >>> palette(ClassMap.parse(["background=0", "polyp=255"]))[0].tolist()
        [0.0, 0.0, 0.0]
    """
    return torch.tensor(class_map.colours, dtype=torch.float32) / 255


def draw_hint(masks: Tensor, colours: Tensor) -> Tensor:
    """Return masks as colour images.

    Args:
        masks: Class ids on the model's grid, brought there by the nearest pixel.
        colours: From `palette`.

    Shape:
        - masks: (batch, height, width).
        - colours: (class, 3).
        - returns: (batch, 3, height, width), in [0, 1].

    Raises:
        GeneratorError: If a mask holds a class that has no colour.
    """
    if masks.numel() and int(masks.max()) >= len(colours):
        raise GeneratorError(
            f"A mask holds class {int(masks.max())}, and the class map has {len(colours)} classes (0 to "
            f"{len(colours) - 1}). Tune and sample with the class map of these masks."
        )
    return colours[masks.long()].movedim(-1, 1).contiguous()


def check_hint(hint: Tensor, latents: Sequence[int], factor: int) -> None:
    """Refuse a hint that does not lie on the grid of the image, or leaves [0, 1].

    Args:
        hint: From `draw_hint`.
        latents: Shape of the latents that it belongs to.
        factor: Pixels a latent, along each side.

    Raises:
        GeneratorError: If size or range differ.
    """
    expected = tuple(size * factor for size in latents[-2:])
    if hint.ndim != 4 or hint.shape[1] != 3 or tuple(hint.shape[-2:]) != expected:
        raise GeneratorError(
            f"The hint has shape {tuple(hint.shape)}, expected (batch, 3, {expected[0]}, {expected[1]}): the "
            f"image's grid, {factor} pixels a latent. Draw it from the mask on the model's grid."
        )
    if not (float(hint.min()) >= 0 and float(hint.max()) <= 1):
        raise GeneratorError(
            f"A hint must lie in [0, 1], got {float(hint.min()):.3g} to {float(hint.max()):.3g}. "
            "Divide colours of 0 to 255 by 255."
        )
