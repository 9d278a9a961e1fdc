"""Trained networks on disk: weights that run no code, and a card that describes them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated, Any, NotRequired

import torch
from annotated_types import Ge
from safetensors import SafetensorError
from safetensors.torch import load_model, save_model
from torch import nn
from typing_extensions import TypedDict

from s2s2.core.records import content_digest
from s2s2.core.software import OPENCV, versions
from s2s2.core.storage import atomic, read_json, refuse_links, write_json
from s2s2.core.trust import dotted, require_trusted
from s2s2.data.classes import ClassMap
from s2s2.data.volumes.config import VolumeConfig
from s2s2.errors import NetworkError
from s2s2.networks.build import build_network, require_module_class
from s2s2.networks.catalogue import BUILT_IN
from s2s2.networks.config import NetworkConfig
from s2s2.networks.normalisation import Normalisation
from s2s2.objective.taps.features import unwrap

WEIGHTS = "weights.safetensors"
CARD = "network.json"


def _software() -> dict[str, str]:
    return versions("torch", "monai", "lightning", OPENCV)


_Count = Annotated[int, Ge(1)]


class _Card(TypedDict):
    """Shape of network.json; the class map checks itself."""

    network: NetworkConfig
    channels: _Count
    size: _Count | None
    patch: _Count | None
    class_map: dict[str, Any]
    normalisation: Normalisation
    split: dict[str, list[str]]
    arm: str
    seed: int
    domain: str
    training: dict[str, Any]
    software: dict[str, str]
    weights_sha256: str
    volumes: NotRequired[dict[str, Any] | None]


@dataclass(frozen=True)
class NetworkCard:
    """What must be known of a trained network to use it and to judge it.

    Args:
        network: How to build it.
        channels: Of its images.
        size: Longer side of the working grid in pixels; None where images keep their own grid.
        patch: Side of the training crops in pixels; None where whole images were seen.
        class_map: Its classes.
        normalisation: Of its images.
        split: Ids of the cases it was trained and validated on, by part.
        arm: Name of the training arm.
        seed: Of the training.
        domain: Site of the training cases; with the ids it tells a case that was learnt from.
        training: The training's settings.
        software: Versions of what made it.
        volumes: How the volumes that it was trained on were cut; None of flat images.
    """

    network: NetworkConfig
    channels: int
    size: int | None
    patch: int | None
    class_map: ClassMap
    normalisation: Normalisation
    split: Mapping[str, tuple[str, ...]]
    arm: str
    seed: int
    domain: str = ""
    training: Mapping[str, Any] = field(default_factory=dict)
    software: Mapping[str, str] = field(default_factory=_software)
    volumes: VolumeConfig | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain lists and mappings, for JSON."""
        return {
            **vars(self),
            "network": self.network.to_dict(),
            "class_map": self.class_map.to_dict(),
            "normalisation": self.normalisation.to_dict(),
            "split": {part: list(ids) for part, ids in self.split.items()},
            "training": dict(self.training),
            "software": dict(self.software),
            "volumes": None if self.volumes is None else self.volumes.to_dict(),
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> NetworkCard:
        """Build a card from what `to_dict` gave."""
        made = {
            "network": NetworkConfig.from_dict(content["network"]),
            "class_map": ClassMap.from_dict(content["class_map"]),
            "normalisation": Normalisation.from_dict(content["normalisation"]),
            "split": {part: tuple(ids) for part, ids in content["split"].items()},
        }
        if content.get("volumes") is not None:
            made["volumes"] = VolumeConfig.from_dict(content["volumes"])
        rest = {each.name: content[each.name] for each in fields(cls) if each.name != "volumes"}
        return cls(**rest | made)


def save_network(folder: str | Path, network: nn.Module, card: NetworkCard) -> None:
    """Write `weights.safetensors` and `network.json`, each whole or not at all.

    The card is written last and names the weights by their digest, so a folder
    whose two files do not belong together is known as such.

    Args:
        folder: Where to; made if it is missing.
        network: What was built from `card.network`; wrappers are taken off.
        card: What it is.

    Raises:
        StorageError: If a file cannot be written.
    """
    refuse_links(folder)
    weights = Path(folder) / WEIGHTS
    with atomic(weights) as temporary:
        save_model(unwrap(network), str(temporary))
        digest = content_digest(temporary)
    write_json(Path(folder) / CARD, {**card.to_dict(), "weights_sha256": digest})


def load_network(
    folder: str | Path,
    device: str | torch.device = "cpu",
    *,
    class_map: ClassMap | None = None,
    trust: Collection[str] = (),
    known: NetworkConfig | None = None,
) -> tuple[nn.Module, NetworkCard]:
    """Build a network, load its weights and put it in evaluation mode.

    Args:
        folder: What `save_network` wrote.
        device: Where the network goes.
        class_map: The classes of the data at hand, where the network must have the same.
        trust: Import paths (`"package.module:Class"`) that the card may name; they are imported,
            which runs their code. Built-in networks need none.
        known: The network that the caller trained here, whose import path needs no trust.

    Raises:
        NetworkError: If a file is missing or corrupt, the weights do not fit the card, the card
            names an import path that is not trusted or is no `nn.Module`, or the network has
            other classes than `class_map`.
    """
    folder = Path(folder)
    card, expected = _card_and_digest(folder)
    if class_map is not None and class_map.names != card.class_map.names:
        raise NetworkError(
            f"The network in {folder} knows the classes {', '.join(card.class_map.names)}, but the data have "
            f"{', '.join(class_map.names)}. Take the network's class map for these data, or another network."
        )
    _check_name(card.network.name, folder / CARD, trust, known)
    _check_weights(folder / WEIGHTS, expected)
    network = build_network(card.network.untrained(), channels=card.channels, classes=len(card.class_map))
    try:
        load_model(network, str(folder / WEIGHTS), strict=True)
    except (SafetensorError, RuntimeError) as error:
        raise NetworkError(
            f"The weights in {folder / WEIGHTS} do not fit the network {card.network.name} that the card "
            f"describes: {error}. Give a folder that training wrote, unchanged."
        ) from error
    return network.to(device).eval(), card


def read_card(folder: str | Path) -> NetworkCard:
    """Read what a network is, without its weights.

    Args:
        folder: What `save_network` wrote.

    Raises:
        NetworkError: If there is no card, or it is corrupt.
    """
    return _card_and_digest(Path(folder))[0]


def _card_and_digest(folder: Path) -> tuple[NetworkCard, str]:
    refuse_links(folder, error=NetworkError)
    content = read_json(folder / CARD, error=NetworkError, shape=_Card)
    try:
        return NetworkCard.from_dict(content), content["weights_sha256"]
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise NetworkError(
            f"{folder / CARD} is not the card of a network ({type(error).__name__}: {error}). Give a folder "
            "that training wrote."
        ) from error


def _check_name(path: str, card: Path, trust: Collection[str], known: NetworkConfig | None) -> None:
    if path in BUILT_IN or (known is not None and dotted(known.name) == dotted(path)):
        return
    require_trusted(path, trust, card, error=NetworkError)
    require_module_class(path)


def _check_weights(path: Path, expected: str) -> None:
    if not path.is_file():
        raise NetworkError(
            f"There is no file {path}. Give a folder that training wrote, with both of its files."
        )
    if (found := content_digest(path)) != expected:
        raise NetworkError(
            f"{path} is not the file that the card beside it describes (SHA-256 {found[:12]}, expected "
            f"{expected[:12]}): it is corrupt, or from another training. Train again, or restore both files "
            "together."
        )
