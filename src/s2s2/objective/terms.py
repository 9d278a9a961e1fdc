"""The parts of the loss of one step."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from torch import Tensor

from s2s2.objective.collapse import Collapse


class _Losses(NamedTuple):
    total: Tensor
    """What to call `backward()` on."""
    segmentation: Tensor
    """Segmentation loss of the real image."""
    synthetic: Tensor
    """Segmentation loss of the synthetic image."""
    encoder: Tensor
    """Distance of the encoder features, summed over the taps."""
    decoder: Tensor
    """Distance of the decoder features, summed over the taps."""
    fused: Tensor
    """Segmentation loss of the fused image, see `SaliencyBalancing`."""


class Terms(_Losses):
    """The loss of one step and its terms before weighting.

    The total carries the gradient; the others are detached, for logging. A term that
    was not measured is NaN: `synthetic`, `encoder` and `decoder` when the second image
    was not used, `encoder` and `decoder` when nothing is tapped there, `fused` in
    `SemanticStacking`.

    A tuple of six scalars, with the logits and the collapse meter beside it: `_asdict()` and
    unpacking give the scalars alone.
    """

    logits: Any = None
    """What the segmentation loss got for the real image, detached: a tensor, or a structure of tensors."""
    synthetic_logits: Any = None
    """The same for the synthetic image, before pixels are ignored; None where it was not used."""
    collapse: Mapping[str, Collapse] = MappingProxyType({})
    """What the meter says of `"encoder"` and `"decoder"`, where it was asked for and they are tapped."""

    def with_logits(self, logits: Any, synthetic: Any = None) -> Terms:
        """Return the same terms, with logits beside them."""
        terms = Terms(*self)
        terms.logits, terms.synthetic_logits = logits, synthetic
        return terms
