"""Settings of a network: which one, and where its features are tapped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from s2s2.errors import NetworkError


@dataclass(frozen=True)
class NetworkConfig:
    """Which network, and where its features are tapped.

    Args:
        name: A name that `s2s2 networks` lists, or the import path of an `nn.Module` (or of a
            function that returns one): `monai.networks.nets.UNet`. Importing it runs its code.
        init_args: Constructor arguments. The texts `"{channels}"` and `"{classes}"`
            stand for the two numbers, at any depth.
        encoder_taps: Modules that give the encoder features, see `FeatureTap`. Empty
            takes those of a built-in network.
        decoder_taps: The same for the decoder features.
        pretrained: Whether a network of that list starts from pretrained weights.
        weights: File or folder of these weights, or a hub id `owner/name`, which is fetched, for a network
            that does not have them inside. Safetensors, or NumPy's npz without pickles.

    Raises:
        NetworkError: If weights are named that are not to be used.
    """

    name: str = "efficientnet-lite0-unet"
    init_args: dict[str, Any] = field(default_factory=dict)
    encoder_taps: tuple[str, ...] = ()
    decoder_taps: tuple[str, ...] = ()
    pretrained: bool = True
    weights: str | None = None

    def __post_init__(self) -> None:
        """Refuse weights that are not to be used."""
        if self.weights is not None and not self.pretrained:
            raise NetworkError(
                f"The network {self.name} cannot start both from random weights (--network.pretrained false) "
                f"and from {self.weights} (--network.weights). Leave one of them out."
            )

    def untrained(self) -> NetworkConfig:
        """Return the same network with random weights.

        Example:
            >>> NetworkConfig("fcbformer", weights="pvt_v2_b3").untrained().weights is None
            True
        """
        return replace(self, pretrained=False, weights=None)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain lists and mappings, for JSON."""
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in vars(self).items()
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> NetworkConfig:
        """Build a configuration from what `to_dict` gave."""
        taps = {side: tuple(content[side]) for side in ("encoder_taps", "decoder_taps")}
        return cls(
            content["name"],
            dict(content["init_args"]),
            **taps,
            pretrained=content["pretrained"],
            weights=content.get("weights"),
        )
