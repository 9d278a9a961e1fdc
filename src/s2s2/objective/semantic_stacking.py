"""The semantic-stacking loss: segmentation of a real and a synthetic image, and their consistency."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal

from torch import Tensor, nn

from s2s2.errors import ConfigError
from s2s2.objective.collapse import measure
from s2s2.objective.consistency import ConsistencyLoss
from s2s2.objective.pixels import fitted, settled
from s2s2.objective.sides import SIDES, apart, axis_of, features_of, refuse_unequal
from s2s2.objective.taps.describe import Description, describe
from s2s2.objective.taps.features import Tap, refuse_without_gradient
from s2s2.objective.taps.outputs import map_tensors
from s2s2.objective.taps.rules import Rule
from s2s2.objective.terms import Terms
from s2s2.objective.views import Network, View, Viewer, segment
from s2s2.objective.weights import Side, check_weights, mismatch, missing

Loss = Callable[[Any, Tensor], Tensor]


class SemanticStacking(nn.Module):
    r"""The semantic-stacking loss of an image, a synthetic image and the mask of both.

    With logits $z$, encoder features $e$ and decoder features $d$ of the real
    image (0) and of the synthetic one (1), both of mask $y$,

    $$L = L_{seg}(z_0, y) + w_{syn} \, L_{seg}(z_1, y)
        + \alpha_{enc} \, D(e_0, e_1) + \alpha_{dec} \, D(d_0, d_1).$$

    Ignored pixels of the synthetic image, where it does not show its mask, count as if
    the network were correct and certain there, without gradient; the distances leave
    them out.

    With several encoder or decoder taps, $D$ is their weighted sum. A weight of 0 removes its term
    from the loss; with all of them at 0 the synthetic image is not used and $L$ is exactly $L_{seg}(z_0, y)$.

    Args:
        segmentation_loss: Function of logits and mask that returns a scalar. It gets what
            the network returns, a tensor (batch, class, *size) or a list, dict or
            dataclass of tensors (deep supervision), and class ids (batch, *size), int64.
        encoder: Modules whose outputs are the encoder features: names, rules or `Tap`, see
            `FeatureTap`. None leaves the features to `combine`.
        decoder: The same for the decoder features.
        alpha_enc: Weight of the encoder's consistency, at least 0.
        alpha_dec: Weight of the decoder's consistency, at least 0.
        w_syn: Weight of the synthetic image's segmentation loss, at least 0.
        consistency: Distance D, any function; called with real features, synthetic features and mask,
            and, where pixels are to be ignored, with these. None takes `ConsistencyLoss()`, the
            cosine distance.
        forward_pass: `"joint"`, one pass over a batch of both images, the faster one;
            `"separate"`, one pass each. They agree unless the network uses statistics of the batch.
        logits: Function that takes what the segmentation loss is to get out of what the
            network returns. None takes the output itself.

    Shape:
        - image, synthetic: (batch, channel, *size), float.
        - mask: (batch, *size) or (batch, 1, *size), class ids of any integer type or bool. What
          marks pixels without a label, 255 by custom, must be known to the segmentation loss
          (`nn.CrossEntropyLoss(ignore_index=255)`) and to a consistency that reads the mask
          (`ConsistencyLoss(weighting="class", ignore_index=255)`, the default).
        - ignore: as `mask`, bool, or None.
        - returns: a scalar.

    Raises:
        ConfigError: If a weight is negative, or above 0 with nothing tapped or without a synthetic image.
        ShapeError: If images, mask, logits or features do not fit each other, a mask is one-hot or
            holds floats, or features do not tell where their channels are.
        NetworkError: If the network returns no tensor, or what the segmentation loss cannot take.
        TapError: If a tap names no module, or one that did not run, ran several times, carries no
            gradient or was changed in place.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> network = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 2, 1))
        >>> objective = SemanticStacking(nn.CrossEntropyLoss(), encoder=["0"], alpha_enc=0.4)
        >>> image, synthetic = torch.rand(2, 4, 3, 16, 16)
        >>> mask = torch.randint(2, (4, 16, 16))
        >>> loss = objective(network, image, synthetic, mask)
        >>> loss.backward()

    Reference:
        Pan et al., *S2S2: Semantic Stacking for Robust Semantic Segmentation in
        Medical Imaging*, AAAI 2025, arXiv:2412.13156.
    """

    def __init__(
        self,
        segmentation_loss: Loss,
        *,
        encoder: Sequence[Rule | Tap] | None = (),
        decoder: Sequence[Rule | Tap] | None = (),
        alpha_enc: float = 0.4,
        alpha_dec: float = 0.0,
        w_syn: float = 1.0,
        consistency: Callable[..., Tensor] | None = None,
        forward_pass: Literal["joint", "separate"] = "joint",
        logits: Callable[[Any], Any] | None = None,
    ) -> None:
        super().__init__()
        if forward_pass not in ("joint", "separate"):
            raise ConfigError(f"forward_pass is {forward_pass!r}. Expected 'joint' or 'separate'.")
        self.segmentation_loss = segmentation_loss
        self.w_syn, self.alpha_enc, self.alpha_dec = w_syn, alpha_enc, alpha_dec
        check_weights(
            self._weights(), [Side("encoder", alpha_enc, encoder), Side("decoder", alpha_dec, decoder)]
        )
        self.encoder = None if encoder is None else tuple(encoder)
        self.decoder = None if decoder is None else tuple(decoder)
        self.consistency = ConsistencyLoss() if consistency is None else consistency
        self.forward_pass = forward_pass
        self._viewer = Viewer(self.encoder or (), self.decoder or (), logits)

    def forward(
        self,
        network: Network,
        image: Tensor,
        synthetic: Tensor | None,
        mask: Tensor,
        ignore: Tensor | None = None,
    ) -> Tensor:
        """Return the total loss. See the class."""
        return self.terms(network, image, synthetic, mask, ignore).total

    def terms(
        self,
        network: Network,
        image: Tensor,
        synthetic: Tensor | None,
        mask: Tensor,
        ignore: Tensor | None = None,
        *,
        collapse: bool = False,
    ) -> Terms:
        """Return the total loss and every term of it, for logging.

        `collapse` also measures how much the features are alike, see `Collapse`: ask for it now and then.
        """
        if not any(self._weights().values()):
            return self.alone(network, image, mask)
        if synthetic is None or synthetic.shape != image.shape:
            raise mismatch(image, synthetic)
        for side in self._sides():
            if side.weight and not side.taps:
                cure = f"{side.name}=['name', ...]"
                raise missing(side.option, side.weight, f"{side.name} features to read", cure)
        views = self._viewer.joint if self.forward_pass == "joint" else self._viewer.separate
        return self._terms(*views(network, image, synthetic), mask, ignore, image.ndim - 2, collapse)

    def alone(self, network: Network, image: Tensor, mask: Tensor) -> Terms:
        """Return the segmentation loss of an image as the total loss; nothing is tapped."""
        view = self._viewer.single(network, image, tapped=False)
        return self._terms(view, None, mask, None, image.ndim - 2)

    def combine(
        self,
        real_logits: Any,
        synthetic_logits: Any,
        mask: Tensor,
        real_features: Any = None,
        synthetic_features: Any = None,
        ignore: Tensor | None = None,
        *,
        collapse: bool = False,
    ) -> Terms:
        """Return the terms of what you computed yourself; no network is run or tapped.

        Args:
            real_logits: Of the real image, as the segmentation loss takes them.
            synthetic_logits: Of the synthetic image; None where `w_syn` is 0.
            mask: See the class.
            real_features: Encoder features: a tensor, or a list or dict of tensors, compared
                one by one with the options of the taps in their order. With decoder
                features too: `{"encoder": ..., "decoder": ...}`.
            synthetic_features: The same of the synthetic image.
            ignore: See the class.
            collapse: See `terms`.

        Raises:
            ConfigError: If logits or features of a term with a weight are missing.
            ShapeError: If the two sides have other features, or as in the class.
        """
        taps = {side.name: side.taps or () for side in self._sides()}
        real = View(real_logits, *features_of(real_features, taps))
        other = View(synthetic_logits, *features_of(synthetic_features, taps))
        if synthetic_logits is None and self.w_syn:
            cure = "combine(logits, logits, ...)"
            raise missing("w_syn", self.w_syn, "logits of the synthetic image", cure)
        for side in self._sides():
            mine, theirs = getattr(real, side.name), getattr(other, side.name)
            refuse_unequal(mine, theirs)
            if side.weight and not mine:
                cure = f"combine(..., {{{side.name!r}: features}}, ...)"
                raise missing(side.option, side.weight, f"{side.name} features", cure)
        return self._terms(real, other, mask, ignore, collapse=collapse)

    def describe(self, network: nn.Module, image: Tensor) -> Description:
        """Run the network once on an image and say what the taps take from it; print the result.

        Each row is one feature: its shape, the axis taken for the channels, whether
        gradients flow, its weight, and for tuples, lists, dicts and dataclasses what of
        them is taken. What a training step would be refused for stands below. Buffers
        and random numbers of the network stay as they are.

        Args:
            network: In training or in evaluation mode, as it is to be described.
            image: (batch, channel, *size).

        Raises:
            TapError: If a tap names no module.

        Example:
            >>> import torch
            >>> network = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 2, 1))
            >>> objective = SemanticStacking(nn.CrossEntropyLoss(), encoder=["0"], alpha_enc=0.4)
            >>> print(objective.describe(network, torch.rand(2, 3, 16, 16)))
            side     tap  shape           channels    gradient  weight  taken
            encoder  0    (2, 8, 16, 16)  axis 1 (8)  yes       0.4     the output
        """
        sides = [(side.name, side.taps or (), side.weight) for side in self._sides()]
        return describe(network, image, sides, partial(axis_of, self.consistency))

    def close(self) -> None:
        """Take the taps off every network that this objective was called with, and off deep copies."""
        self._viewer.close()

    def extra_repr(self) -> str:
        """Return the options, for printing."""
        weights = ", ".join(f"{name}={weight}" for name, weight in self._weights().items())
        taps = f"encoder={self.encoder}, decoder={self.decoder}"
        return f"{weights}, {taps}, forward_pass={self.forward_pass!r}"

    def _weights(self) -> dict[str, float]:
        return {name: getattr(self, name) for name in ("w_syn", "alpha_enc", "alpha_dec")}

    def _sides(self) -> tuple[Side, Side]:
        return Side("encoder", self.alpha_enc, self.encoder), Side("decoder", self.alpha_dec, self.decoder)

    def _terms(
        self,
        real: View,
        other: View | None,
        mask: Tensor,
        ignore: Tensor | None,
        space: int | None = None,
        collapse: bool = False,
    ) -> Terms:
        """The loss of what the network made of both images, of the real one alone without the other."""
        mask, ignore = fitted(mask, ignore, real.logits, space)
        segmentation = segment(self.segmentation_loss, real.logits, mask)
        unmeasured = segmentation.detach().new_full((), math.nan)
        logits = map_tensors(Tensor.detach, real.logits)
        if other is None:
            return Terms(segmentation, segmentation.detach(), *[unmeasured] * 4).with_logits(logits)
        refuse_without_gradient([real.encoder, other.encoder], self.alpha_enc)
        refuse_without_gradient([real.decoder, other.decoder], self.alpha_dec)
        synthetic = unmeasured
        if other.logits is not None:
            logits_left = map_tensors(lambda z: settled(z, mask, ignore), other.logits)
            synthetic = segment(self.segmentation_loss, logits_left, mask)
        encoder = apart(self.consistency, real.encoder, other.encoder, mask, ignore)
        decoder = apart(self.consistency, real.decoder, other.decoder, mask, ignore)
        agreements = ((self.alpha_enc, encoder), (self.alpha_dec, decoder))
        total = segmentation + self.w_syn * synthetic if self.w_syn else segmentation
        total = sum((weight * part for weight, part in agreements if weight), start=total)
        parts = (segmentation, synthetic, encoder, decoder, unmeasured)
        terms = Terms(total, *(part.detach() for part in parts))
        terms = terms.with_logits(logits, map_tensors(Tensor.detach, other.logits))
        if collapse:
            terms.collapse = {
                side: measure(self.consistency, getattr(real, side), getattr(other, side), mask, ignore)
                for side in SIDES
                if getattr(real, side)
            }
        return terms
