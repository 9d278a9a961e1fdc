"""Published weights of the encoder: names and axes of the vision transformer's own files."""

from __future__ import annotations

import re
from collections.abc import Callable

from torch import Tensor

from s2s2.networks.transunet.encoder import Encoder, resized, square
from s2s2.networks.transunet.resnet import stem_kernels
from s2s2.networks.weights import find_weights, load_exactly, read_tensors

_UNUSED = re.compile(r"cls|(head|pre_logits)/(kernel|bias)")
"""Class token and classifier, which a segmentation has no use for."""
_NAMES = (
    (r"(conv|gn)_root", r"resnet.\1_root"),
    (r"block(\d+)/unit(\d+)", lambda found: f"resnet.blocks.{int(found[1]) - 1}.{int(found[2]) - 1}"),
    (r"Transformer/encoderblock_(\d+)", r"blocks.\1"),
    (r"Transformer/encoder_norm", "norm"),
    (r"Transformer/posembed_input/pos_embedding", "positions"),
    (r"LayerNorm_0", "norm1"),
    (r"LayerNorm_2", "norm2"),
    (r"MultiHeadDotProductAttention_1", "attention"),
    (r"MlpBlock_3/Dense_0", "dense1"),
    (r"MlpBlock_3/Dense_1", "dense2"),
    (r"(?<=/)(kernel|scale)$", "weight"),
)
_AXES: tuple[tuple[str, int, Callable[[Tensor], Tensor]], ...] = (
    (r".*/(query|key|value)/kernel", 3, lambda kernel: kernel.flatten(1).T),  # (input, head, channel)
    (r".*/out/kernel", 3, lambda kernel: kernel.flatten(0, 1).T),  # (head, channel, output)
    (r".*/(query|key|value)/bias", 2, lambda bias: bias.flatten()),
    (r".*/Dense_\d/kernel", 2, lambda kernel: kernel.T),
    (r".*/gn\d?(_proj)?/(scale|bias)|gn_root/(scale|bias)", 4, lambda values: values.flatten()),
    (r".*kernel", 4, lambda kernel: kernel.permute(3, 2, 0, 1)),  # (height, width, input, output)
    (r".*/pos_embedding", 3, square),
)
"""Which tensors lie otherwise than in torch: their names, their number of axes, and how they are turned."""


def load_published(encoder: Encoder, channels: int, weights: str) -> None:
    """Start an encoder from the authors' file.

    Args:
        encoder: What gets them.
        channels: Of the images.
        weights: As `find_weights` takes it.

    Raises:
        NetworkError: If there is no such file, or it is not of this encoder; what differs is named.
    """
    path = find_weights(weights)
    tensors = {
        renamed(name): turned(name, tensor)
        for name, tensor in read_tensors(path).items()
        if not _UNUSED.fullmatch(name)
    }
    root, positions = tensors.get("resnet.conv_root.weight"), tensors.get("positions")
    if root is not None and root.ndim == 4:
        tensors["resnet.conv_root.weight"] = stem_kernels(root, channels)
    if positions is not None and positions.ndim == 4:
        tensors["positions"] = resized(positions, encoder.positions.shape[-2:])
    load_exactly(encoder, tensors, path)


def renamed(name: str) -> str:
    """Return the name in `Encoder` of a tensor of the published file.

    Example:
        >>> renamed("block1/unit2/gn_proj/scale")
        'resnet.blocks.0.1.gn_proj.weight'
        >>> renamed("Transformer/encoderblock_11/MultiHeadDotProductAttention_1/query/kernel")
        'blocks.11.attention.query.weight'
    """
    for pattern, replacement in _NAMES:
        name = re.sub(pattern, replacement, name)
    return name.replace("/", ".")


def turned(name: str, tensor: Tensor) -> Tensor:
    """Return a tensor of the published file with its axes as torch has them."""
    for pattern, axes, turn in _AXES:
        if tensor.ndim == axes and re.fullmatch(pattern, name):
            return turn(tensor).contiguous()
    return tensor
