"""Networks that go by a name: what each is, and where its class and its pretrained weights are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """A network that goes by a name.

    Its class is called with `channels`, `classes` and, where its weights are inside, `pretrained` (a bool),
    else `weights` (a file, a folder or a hub id, or None for random ones). Its attributes `encoder_taps` and
    `decoder_taps` name the modules of the features. Where the architecture is that of the weights, its static
    method `init_args_of(weights)` returns the arguments that say so.

    Args:
        name: As on the command line.
        summary: What it is, in half a line.
        path: Import path of its class.
        weights: What its pretrained weights are, and where they come from.
        licence: Of these weights.
        inside: Whether they come with a package; if not, `--network.weights` names them.
        reference: The paper.
    """

    name: str
    summary: str
    path: str
    weights: str
    licence: str
    reference: str
    inside: bool = False

    def load(self) -> Any:
        """Return its class."""
        module, _, name = self.path.rpartition(".")
        found: Callable[..., Any] = getattr(import_module(module), name)
        return found


BUILT_IN: dict[str, BuiltIn] = {
    each.name: each
    for each in (
        BuiltIn(
            "efficientnet-lite0-unet",
            "small and fast; the default",
            "s2s2.networks.unet.EfficientNetUNet",
            weights="ImageNet, encoder",
            licence="Apache-2.0",
            inside=True,
            reference="Tan and Le, ICML 2019; Ronneberger et al., MICCAI 2015",
        ),
        BuiltIn(
            "fcbformer",
            "PVTv2-b3 beside a U-Net: the paper's network for polyps",
            "s2s2.networks.fcbformer.network.FCBFormer",
            weights="ImageNet, transformer branch: a PVTv2-b3 such as OpenGVLab/pvt_v2_b3",
            licence="Apache-2.0",
            reference="Sanderson and Matuszewski, MIUA 2022; Wang et al., CVM 2022",
        ),
        BuiltIn(
            "transunet",
            "ResNet-50, ViT-B/16 and a U-Net's decoder: the paper's network for organs",
            "s2s2.networks.transunet.network.TransUNet",
            weights="ImageNet-21k, encoder: R50+ViT-B_16.npz of google-research/vision_transformer",
            licence="Apache-2.0",
            reference="Chen et al., 2021, arXiv:2102.04306",
        ),
        BuiltIn(
            "efficientnet-b2-unet",
            "EfficientNet-b2 and a plain decoder: the network of SLAug, there with random weights",
            "s2s2.networks.efficientnet.EfficientNetB2UNet",
            weights="ImageNet, encoder: efficientnet-b2 of efficientnet_pytorch or MONAI, as safetensors",
            licence="Apache-2.0",
            reference="Tan and Le, ICML 2019; Su et al., AAAI 2023",
        ),
        BuiltIn(
            "dino-light",
            "DINOv2 or DINOv3, frozen, under a light decoder that learns",
            "s2s2.networks.dino.network.DinoLight",
            weights="self-supervised, encoder: such as facebook/dinov2-small",
            licence="Apache-2.0 (DINOv2), DINOv3 License (DINOv3)",
            reference="Oquab et al., TMLR 2024; Siméoni et al., 2025, arXiv:2508.10104",
        ),
    )
}
"""Networks that go by a name, in the order in which they are listed."""
