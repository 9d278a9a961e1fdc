"""Networks that give a known function of the image, saved like trained ones."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor, nn

from s2s2.data import ClassMap
from s2s2.data.volumes.config import VolumeConfig
from s2s2.networks import NetworkCard, NetworkConfig, Normalisation, save_network

BINARY = ClassMap(("background", "polyp"), ((0,), (255,)))


class Brightness(nn.Module):
    """Class 1 where the mean over the channels is above one half; notes what it was shown."""

    shown: ClassVar[list[tuple[int, ...]]] = []

    def __init__(self, gain: float = 2.0) -> None:
        super().__init__()
        self.register_buffer("gain", torch.tensor(gain))

    def forward(self, images: Tensor) -> Tensor:
        self.shown.append(tuple(images.shape))
        score = self.gain * (images.mean(1, keepdim=True) - 0.5)
        return torch.cat([-score, score], 1)


class Broken(Brightness):
    """Gives NaN."""

    def forward(self, images: Tensor) -> Tensor:
        return super().forward(images) * torch.nan


class Halved(Brightness):
    """Gives logits of half the size."""

    def forward(self, images: Tensor) -> Tensor:
        return super().forward(images)[..., ::2, ::2]


class Relative(Brightness):
    """Class 1 where a pixel is brighter than the mean that its normalisation knows: half, unless adapted."""

    def __init__(self, gain: float = 2.0) -> None:
        super().__init__(gain)
        self.norm = nn.BatchNorm2d(3, affine=False)
        self.norm.running_mean.fill_(0.5)

    def forward(self, images: Tensor) -> Tensor:
        return super().forward(self.norm(images) + 0.5)


def save_known(
    folder: Path,
    kind: type[Brightness] = Brightness,
    *,
    channels: int = 3,
    size: int | None = 64,
    patch: int | None = None,
    gain: float = 2.0,
    class_map: ClassMap = BINARY,
    domain: str = "",
    learnt: tuple[str, ...] = (),
    volumes: VolumeConfig | None = None,
) -> Path:
    """Save a network that needs no training, and return its folder."""
    card = NetworkCard(
        network=NetworkConfig(f"{__name__}.{kind.__name__}"),
        channels=channels,
        size=size,
        patch=patch,
        class_map=class_map,
        normalisation=Normalisation((0.0,) * channels, (1.0,) * channels),
        split={"train": learnt, "validation": ()},
        arm="baseline",
        seed=0,
        volumes=volumes,
        domain=domain,
    )
    save_network(folder, kind(gain), card)
    Brightness.shown.clear()
    return folder


TRUSTED = tuple(f"{__name__}.{kind.__name__}" for kind in (Brightness, *Brightness.__subclasses__()))
"""The import paths of these networks, which a card may name."""
