"""The semantic-stacking loss: segmentation of a real and a synthetic image, and their consistency."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple, cast
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from s2s2.errors import ConfigError, NetworkError, ShapeError
from s2s2.objective.consistency import ConsistencyLoss
from s2s2.objective.features import FeatureTap, unwrap
from s2s2.objective.pixels import settled
from s2s2.objective.rules import Rule

Loss = Callable[[Tensor, Tensor], Tensor]


class Terms(NamedTuple):
    """The loss of one step and its terms before weighting.

    The total carries the gradient; the others are detached, for logging. A term that
    was not measured is NaN: `synthetic`, `encoder` and `decoder` when the second image
    was not used, `encoder` and `decoder` when nothing is tapped there.
    """

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


class View(NamedTuple):
    """What the network returns for one image."""

    logits: Tensor
    encoder: dict[str, Tensor]
    decoder: dict[str, Tensor]


class SemanticStacking(nn.Module):
    r"""The semantic-stacking loss of an image, a synthetic image and the mask of both.

    With logits $z$, encoder features $e$ and decoder features $d$ of the real
    image (0) and of the synthetic one (1), both of mask $y$,

    $$L = L_{seg}(z_0, y) + w_{syn} \, L_{seg}(z_1, y)
        + \alpha_{enc} \, D(e_0, e_1) + \alpha_{dec} \, D(d_0, d_1).$$

    Ignored pixels of the synthetic image, where it does not show its mask, count as if
    the network were correct and certain there, without gradient; the distances leave
    them out.

    With several encoder or decoder taps, $D$ is summed over them. A weight of 0
    removes its term from the loss; with all three at 0 the synthetic image is not
    used and $L$ is exactly $L_{seg}(z_0, y)$.

    Args:
        segmentation_loss: Function of logits (batch, class, *size) and mask (batch, *size)
            that returns a scalar.
        encoder: Modules whose outputs are the encoder features, see `FeatureTap`.
        decoder: The same for the decoder features.
        alpha_enc: Weight of the encoder's consistency, at least 0.
        alpha_dec: Weight of the decoder's consistency, at least 0.
        w_syn: Weight of the synthetic image's segmentation loss, at least 0.
        consistency: Distance D; called with real features, synthetic features and mask,
            and, where pixels are to be ignored, with these. None takes
            `ConsistencyLoss()`, the cosine distance.
        forward_pass: `"joint"`, one pass over a batch of both images, the faster one;
            `"separate"`, one pass each. They agree unless the network uses statistics of the batch.
        logits: Function that takes the logits out of what the network returns, for
            networks that return more than a tensor. None takes the output itself.

    Shape:
        - image, synthetic: (batch, channel, *size), float.
        - mask: (batch, *size), class ids.
        - ignore: (batch, *size), bool, or None.
        - returns: a scalar.

    Raises:
        ConfigError: If a weight is negative, or above 0 with nothing tapped or without a synthetic image.
        ShapeError: If the images differ in shape, or features have no batch axis in front.
        NetworkError: If the network returns no tensor and `logits` is not given.
        TapError: If a tap names no module, or a module that did not run.

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
        encoder: Sequence[Rule] = (),
        decoder: Sequence[Rule] = (),
        alpha_enc: float = 0.4,
        alpha_dec: float = 0.0,
        w_syn: float = 1.0,
        consistency: Callable[..., Tensor] | None = None,
        forward_pass: Literal["joint", "separate"] = "joint",
        logits: Callable[[Any], Tensor] | None = None,
    ) -> None:
        super().__init__()
        _check(w_syn=w_syn, alpha_enc=alpha_enc, alpha_dec=alpha_dec, encoder=encoder, decoder=decoder)
        if forward_pass not in ("joint", "separate"):
            raise ConfigError(f"forward_pass is {forward_pass!r}. Expected 'joint' or 'separate'.")
        self.segmentation_loss = segmentation_loss
        self.encoder, self.decoder = tuple(encoder), tuple(decoder)
        self.w_syn, self.alpha_enc, self.alpha_dec = w_syn, alpha_enc, alpha_dec
        self.consistency = ConsistencyLoss() if consistency is None else consistency
        self.forward_pass = forward_pass
        self.logits = logits
        self._taps: WeakKeyDictionary[nn.Module, tuple[FeatureTap, FeatureTap]] = WeakKeyDictionary()

    def forward(
        self,
        network: nn.Module,
        image: Tensor,
        synthetic: Tensor | None,
        mask: Tensor,
        ignore: Tensor | None = None,
    ) -> Tensor:
        """Return the total loss. See the class."""
        return self.terms(network, image, synthetic, mask, ignore).total

    def terms(
        self,
        network: nn.Module,
        image: Tensor,
        synthetic: Tensor | None,
        mask: Tensor,
        ignore: Tensor | None = None,
    ) -> Terms:
        """Return the total loss and every term of it, for logging."""
        if not (self.w_syn or self.alpha_enc or self.alpha_dec):
            plain = self.segmentation_loss(self._logits(network(image)), mask)
            return Terms(plain, plain.detach(), *plain.detach().new_full((3,), math.nan))
        if synthetic is None or synthetic.shape != image.shape:
            raise _mismatch(image, synthetic)
        if ignore is not None and (ignore.shape != mask.shape or ignore.dtype != torch.bool):
            raise ShapeError(
                f"ignore must be bool of the mask's shape {tuple(mask.shape)}, got {ignore.dtype} "
                f"of {tuple(ignore.shape)}. Give one truth value per pixel."
            )
        views = self._joint if self.forward_pass == "joint" else self._separate
        real, other = views(network, image, synthetic)
        segmentation = self.segmentation_loss(real.logits, mask)
        terms = (
            self.segmentation_loss(settled(other.logits, mask, ignore), mask),
            self._apart(real.encoder, other.encoder, mask, ignore),
            self._apart(real.decoder, other.decoder, mask, ignore),
        )
        weights = (self.w_syn, self.alpha_enc, self.alpha_dec)
        weighted = [weight * term for weight, term in zip(weights, terms, strict=True) if weight]
        total = sum(weighted, start=segmentation)
        return Terms(total, segmentation.detach(), *(term.detach() for term in terms))

    def close(self) -> None:
        """Take the taps off every network that this objective was called with."""
        for taps in self._taps.values():
            for tap in taps:
                tap.close()
        self._taps.clear()

    def extra_repr(self) -> str:
        """Return the options, for printing."""
        return (
            f"w_syn={self.w_syn}, alpha_enc={self.alpha_enc}, alpha_dec={self.alpha_dec}, "
            f"encoder={self.encoder}, decoder={self.decoder}, forward_pass={self.forward_pass!r}"
        )

    def __getstate__(self) -> dict[str, Any]:
        # Taps belong to a network, not to the objective: a copy makes its own.
        return {**self.__dict__, "_taps": WeakKeyDictionary()}

    def _joint(self, network: nn.Module, image: Tensor, synthetic: Tensor) -> tuple[View, View]:
        """One pass over both images; the first half of every output belongs to the real ones."""
        both = self._view(network, torch.cat([image, synthetic]))
        for name, feature in {"logits": both.logits, **both.encoder, **both.decoder}.items():
            if len(feature) != 2 * len(image):
                raise ShapeError(
                    f"The features of {name!r} have shape {tuple(feature.shape)} for {2 * len(image)} "
                    "images, so the first axis is not the batch. Tap another module, or use "
                    "forward_pass='separate'."
                )
        halves = [
            View(
                both.logits[half],
                {name: feature[half] for name, feature in both.encoder.items()},
                {name: feature[half] for name, feature in both.decoder.items()},
            )
            for half in (slice(len(image)), slice(len(image), None))
        ]
        return halves[0], halves[1]

    def _separate(self, network: nn.Module, image: Tensor, synthetic: Tensor) -> tuple[View, View]:
        """One pass for each image, as published."""
        return self._view(network, image), self._view(network, synthetic)

    def _view(self, network: nn.Module, image: Tensor) -> View:
        inside = unwrap(network)
        if inside not in self._taps:
            self._taps[inside] = FeatureTap(inside, self.encoder), FeatureTap(inside, self.decoder)
        encoder, decoder = self._taps[inside]
        return View(self._logits(network(image)), encoder.features(), decoder.features())

    def _logits(self, output: object) -> Tensor:
        logits = output if self.logits is None else self.logits(output)
        if isinstance(logits, Tensor):
            return logits
        raise NetworkError(
            f"The network returned {type(logits).__name__} where logits were expected, a tensor (batch, "
            "class, height, width). Say where they are, for instance logits=lambda output: output['out']."
        )

    def _apart(
        self, real: dict[str, Tensor], synthetic: dict[str, Tensor], mask: Tensor, ignore: Tensor | None
    ) -> Tensor:
        """The distance between the features of two images, summed over the taps; NaN without taps."""
        if not real:
            return torch.full((), math.nan, device=mask.device)
        given = (mask,) if ignore is None else (mask, ignore)
        apart = [self.consistency(real[name], synthetic[name], *given) for name in real]
        return cast(Tensor, sum(apart))


def _check(
    *, w_syn: float, alpha_enc: float, alpha_dec: float, encoder: Sequence[Rule], decoder: Sequence[Rule]
) -> None:
    for name, weight in {"w_syn": w_syn, "alpha_enc": alpha_enc, "alpha_dec": alpha_dec}.items():
        if not 0 <= weight < math.inf:
            raise ConfigError(f"{name} is {weight}. Expected a finite number that is at least 0.")
    sides = {"alpha_enc": (alpha_enc, "encoder", encoder), "alpha_dec": (alpha_dec, "decoder", decoder)}
    for name, (weight, side, taps) in sides.items():
        if isinstance(taps, str):
            raise ConfigError(
                f"{side} is the string {taps!r}. Expected a list of tap names: {side}=[{taps!r}]."
            )
        if weight and not taps:
            raise ConfigError(
                f"{name} is {weight}, but no {side} features are tapped. Name the modules that give them "
                f"({side}=['name', ...]), or set {name}=0."
            )


def _mismatch(image: Tensor, synthetic: Tensor | None) -> ConfigError | ShapeError:
    if synthetic is None:
        return ConfigError(
            "The objective got no synthetic image, but one of w_syn, alpha_enc and alpha_dec is above 0. "
            "Give the synthetic image of each mask, or set the three weights to 0."
        )
    return ShapeError(
        f"Image and synthetic image must have one shape, got {tuple(image.shape)} and "
        f"{tuple(synthetic.shape)}. Give the pair the same size and channels before the objective."
    )
