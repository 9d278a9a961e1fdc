"""Settings of a network: which one, and where its features are tapped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class NetworkConfig:
    """Which network, and where its features are tapped.

    Args:
        name: A name of `BUILT_IN`, or the import path of an `nn.Module` (or of a
            function that returns one): `monai.networks.nets.UNet`. Importing it runs its code.
        init_args: Constructor arguments. The texts `"{channels}"` and `"{classes}"`
            stand for the two numbers, at any depth.
        encoder_taps: Modules that give the encoder features, see `FeatureTap`. Empty
            takes those of a built-in network.
        decoder_taps: The same for the decoder features.
        pretrained: Whether a built-in network starts from ImageNet.
    """

    name: str = "efficientnet-lite0-unet"
    init_args: dict[str, Any] = field(default_factory=dict)
    encoder_taps: tuple[str, ...] = ()
    decoder_taps: tuple[str, ...] = ()
    pretrained: bool = True

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain lists and mappings, for JSON."""
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in vars(self).items()
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> NetworkConfig:
        """Build a configuration from what `to_dict` gave."""
        taps = {side: tuple(content[side]) for side in ("encoder_taps", "decoder_taps")}
        return cls(content["name"], dict(content["init_args"]), **taps, pretrained=content["pretrained"])
