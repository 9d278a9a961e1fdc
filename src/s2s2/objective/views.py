"""What a network makes of an image and of its synthetic twin: one pass over both, or one each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from s2s2.errors import NetworkError
from s2s2.objective.taps.features import Feature, FeatureTap, Tap
from s2s2.objective.taps.outputs import halves, named_tensors
from s2s2.objective.taps.rules import Rule, unwrap

Network = Callable[[Tensor], Any]
"""An `nn.Module`; a function of the image as well, where nothing is tapped."""


class View(NamedTuple):
    """What the network returns for one image."""

    logits: Any
    """A tensor, or a structure of tensors."""
    encoder: dict[str, Feature]
    decoder: dict[str, Feature]


class Viewer:
    """Runs networks and reads their taps, which are attached at the first pass of each network.

    Args:
        encoder: What to tap.
        decoder: The same.
        logits: Takes the logits out of what a network returns; None takes all of it.
    """

    def __init__(
        self,
        encoder: Sequence[Rule | Tap],
        decoder: Sequence[Rule | Tap],
        logits: Callable[[Any], Any] | None,
    ) -> None:
        self._sides = encoder, decoder
        self._logits = logits
        self._taps: WeakKeyDictionary[nn.Module, tuple[FeatureTap, ...]] = WeakKeyDictionary()

    def joint(self, network: Network, image: Tensor, synthetic: Tensor) -> tuple[View, View]:
        """One pass over both images; the first half of every output belongs to the real ones."""
        both = self.single(network, torch.cat([image, synthetic]))
        logits = halves("logits", both.logits, len(image))
        sides: tuple[list[dict[str, Feature]], ...] = ([], [])
        for features in (both.encoder, both.decoder):
            split = {name: halves(name, feature.value, len(image)) for name, feature in features.items()}
            for number, side in enumerate(sides):
                side.append({name: f._replace(value=split[name][number]) for name, f in features.items()})
        return View(logits[0], *sides[0]), View(logits[1], *sides[1])

    def separate(self, network: Network, image: Tensor, synthetic: Tensor) -> tuple[View, View]:
        """One pass for each image, as published."""
        return self.single(network, image), self.single(network, synthetic)

    def single(self, network: Network, image: Tensor, *, tapped: bool = True) -> View:
        """One pass over one image, with or without its features.

        Raises:
            NetworkError: If the network returns no tensor.
            TapError: If a tap cannot be read.
        """
        taps = self._attached(network) if tapped and any(self._sides) else ()
        output = network(image)
        logits = output if self._logits is None else self._logits(output)
        if not any(True for _ in named_tensors("logits", logits)):
            raise no_logits(logits, "holds no tensor of floats")
        return View(logits, *([tap.read() for tap in taps] or ({}, {})))

    def close(self) -> None:
        """Take the taps off every network."""
        for taps in self._taps.values():
            for tap in taps:
                tap.close()
        self._taps.clear()

    def _attached(self, network: Any) -> tuple[FeatureTap, ...]:
        inside = unwrap(network)
        if inside not in self._taps:
            self._taps[inside] = tuple(FeatureTap(inside, names) for names in self._sides)
        return self._taps[inside]

    def __getstate__(self) -> dict[str, Any]:
        # Taps belong to a network: a copy makes its own.
        return {**self.__dict__, "_taps": WeakKeyDictionary()}


def no_logits(output: object, why: str) -> NetworkError:
    """Return the error for an output that cannot be taken for logits."""
    return NetworkError(
        f"The network returned {type(output).__name__} where logits were expected, a tensor (batch, class, "
        f"height, width) or what the segmentation loss takes: it {why}. Say where they are, for instance "
        "logits=lambda output: output['out']."
    )


def segment(loss: Callable[[Any, Tensor], Tensor], logits: Any, mask: Tensor) -> Tensor:
    """Return the segmentation loss of logits.

    Raises:
        NetworkError: If they are no tensor and the loss does not take them.
    """
    try:
        return loss(logits, mask)
    except (TypeError, AttributeError) as error:
        if isinstance(logits, Tensor):
            raise
        raise no_logits(logits, f"is nothing that the loss takes ({error})") from error
