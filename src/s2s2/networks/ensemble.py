"""Networks that predict together: several seeds of one training, each under flips of the image."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from s2s2.core.storage import refuse_links
from s2s2.errors import NetworkError
from s2s2.networks.adaptation import adapt_batch_norm
from s2s2.networks.checkpoint import CARD, NetworkCard, load_network, read_card
from s2s2.networks.config import NetworkConfig
from s2s2.networks.folding import fold_batch_norm
from s2s2.networks.inference import infer_logits

_SIDED = re.compile(r"(?<![a-z])(left|right)(?![a-z])", re.IGNORECASE)
_AXES = {"flip_horizontal": -1, "flip_vertical": -2}
"""Flips of the training and the axis of an image that each turns round."""
_SHARED = ("channels", "size", "patch", "class_map", "normalisation")
"""What the cards of networks that predict together must agree on."""


@dataclass(frozen=True)
class Ensemble:
    """Networks of one task, ready to predict.

    Args:
        networks: On one device, in evaluation mode.
        cards: Of each network; they agree on images and classes.
        flips: The axes that are turned round, one tuple for each view of the image.
    """

    networks: tuple[nn.Module, ...]
    cards: tuple[NetworkCard, ...]
    flips: tuple[tuple[int, ...], ...]

    @property
    def card(self) -> NetworkCard:
        """What all networks have in common, beside what is the first one's own."""
        return self.cards[0]

    def posteriors(self, images: Tensor) -> Tensor:
        r"""Return the mean probability of each class over all networks and flips.

        $$p = \frac{1}{|N||F|} \sum_{n \in N} \sum_{f \in F} f^{-1}(\mathrm{softmax}(n(f(x))))$$

        Args:
            images: In [0, 1], padded.

        Shape:
            - images: (batch, channel, height, width).
            - returns: (batch, class, height, width).

        Raises:
            NetworkError: If a network's logits are not as large as its input, or not finite.
        """
        normalised = self.card.normalisation(images)
        total: Tensor | None = None
        for network, axes in itertools.product(self.networks, self.flips):
            logits = infer_logits(network, normalised.flip(axes), self.card.patch)
            self._check(logits, images)
            found = logits.float().softmax(1).flip(axes)
            total = found if total is None else total + found
        if total is None:
            raise NetworkError("There is no network to predict with.")
        return total / (len(self.networks) * len(self.flips))

    def _check(self, logits: Tensor, images: Tensor) -> None:
        name, expected = self.card.network.name, (len(images), len(self.card.class_map), *images.shape[2:])
        if tuple(logits.shape) != expected:
            raise NetworkError(
                f"The network {name} gave logits of shape {tuple(logits.shape)}, expected {expected} (batch, "
                "class, height, width). A network must return logits as large as its input."
            )
        if not bool(torch.isfinite(logits).all()):
            raise NetworkError(
                f"The network {name} gave logits that are not finite. Its weights are broken: train again, "
                "or take another."
            )


def load_ensemble(
    folder: str | Path,
    device: torch.device,
    *,
    flips: bool | None = None,
    trust: Collection[str] = (),
    known: NetworkConfig | None = None,
    adapted_to: Iterable[Tensor] | None = None,
) -> Ensemble:
    """Load a network, or all networks of an arm.

    Args:
        folder: What `save_network` wrote, or the folder of an arm of a run, which holds one for each seed.
        device: Where the networks go.
        flips: Whether images are flipped too; None flips along the axes of the training's flips, unless
            a class has a side.
        trust: As `load_network` takes it.
        known: As `load_network` takes it.
        adapted_to: Batches of images in [0, 1], padded; of their statistics batch normalisation is
            made. None keeps those of the training. They are gone through once for each network.

    Raises:
        NetworkError: If there is no network, one cannot be loaded or adapted, or two do not fit together.
    """
    folders = members(folder)
    loaded = [load_network(each, device, trust=trust, known=known) for each in folders]
    cards = tuple(card for _, card in loaded)
    for card, place in zip(cards, folders, strict=True):
        for name in _SHARED:
            if getattr(card, name) != getattr(cards[0], name):
                raise NetworkError(
                    f"The networks of {folder} cannot predict together: {name} of {place} is not that of "
                    f"{folders[0]}. Give the folder of one network."
                )
    if adapted_to is not None:  # before folding, which leaves no statistics
        for network, card in loaded:
            batches = (card.normalisation(images.to(device)) for images in adapted_to)
            adapt_batch_norm(network, batches, card.patch)
    networks = tuple(fold_batch_norm(network, card.channels) for network, card in loaded)
    wanted = flips_of(cards[0]) if flips is None else all_flips(tuple(_AXES.values()) if flips else ())
    return Ensemble(networks, cards, wanted)


def members(folder: str | Path) -> tuple[Path, ...]:
    """Return the folders of the networks in a folder: itself, or one for each seed of an arm.

    Raises:
        NetworkError: If there is none.
    """
    folder = Path(folder)
    refuse_links(folder, error=NetworkError)
    if (folder / CARD).is_file():
        return (folder,)
    for pattern in (CARD, "network/" + CARD, "seed*/network/" + CARD):
        if found := sorted(path.parent for path in folder.glob(pattern)):
            return tuple(found)
    raise NetworkError(
        f"There is no network in {folder}: expected {CARD} in it, or seed0/network/{CARD} and so on below. "
        "Give the folder `network` of a training, or the folder of an arm, such as runs/first/arms/s2s2."
    )


def common_card(folder: str | Path) -> NetworkCard:
    """Read the card of the first network in a folder, without any weights.

    Raises:
        NetworkError: If there is none, or it is corrupt.
    """
    return read_card(members(folder)[0])


def flips_of(card: NetworkCard) -> tuple[tuple[int, ...], ...]:
    """Return the flips under which a network predicts where nobody asks for others.

    These are the flips that it was trained under, unless a class has a side in its name.
    """
    if any(_SIDED.search(name.replace("_", " ")) for name in card.class_map.names):
        return ((),)
    geometry = card.training.get("geometry") or {}
    return all_flips(tuple(axis for name, axis in _AXES.items() if geometry.get(name, 0) > 0))


def all_flips(axes: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    """Return every combination of these axes, none first.

    Example:
        >>> all_flips((-1, -2))
        ((), (-1,), (-2,), (-1, -2))
    """
    return tuple(chosen for number in range(len(axes) + 1) for chosen in itertools.combinations(axes, number))
