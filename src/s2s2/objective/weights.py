"""Weights of the terms, and what they need: taps, logits, a synthetic image."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from torch import Tensor

from s2s2.errors import ConfigError, ShapeError
from s2s2.objective.taps.features import Tap
from s2s2.objective.taps.rules import Rule


class Side(NamedTuple):
    """One side of the network, and what its features count."""

    name: str
    """`"encoder"` or `"decoder"`."""
    weight: float
    """Of its consistency, at least 0."""
    taps: Sequence[Rule | Tap] | None
    """What is tapped, None where a user gives the features."""

    @property
    def option(self) -> str:
        """Name of the weight."""
        return f"alpha_{self.name[:3]}"


def check_weights(weights: Mapping[str, float], sides: Iterable[Side]) -> None:
    """Refuse weights that are none, and sides that have one but no taps.

    Args:
        weights: By name.
        sides: Encoder and decoder.

    Raises:
        ConfigError: If there is such a one.
    """
    for name, weight in weights.items():
        if not 0 <= weight < math.inf:
            raise ConfigError(f"{name} is {weight}. Expected a finite number that is at least 0.")
    for side in sides:
        name, taps = side.name, side.taps
        if isinstance(taps, str | Tap):
            raise ConfigError(
                f"{name} is the {'string' if isinstance(taps, str) else 'tap'} {taps!r}. Expected a list of "
                f"tap names: {name}=[{taps!r}]."
            )
        if side.weight and taps is not None and not taps:
            raise ConfigError(
                f"{side.option} is {side.weight}, but no {name} features are tapped. Name the modules that "
                f"give them ({name}=['name', ...]), or set {side.option}=0."
            )


def missing(name: str, weight: float, what: str, cure: str) -> ConfigError:
    """Return the error for a term with a weight that lacks what it compares."""
    return ConfigError(f"{name} is {weight}, but there are no {what}. Give them, {cure}, or set {name}=0.")


def mismatch(image: Tensor, synthetic: Tensor | None) -> ConfigError | ShapeError:
    """Return the error for a synthetic image that is not there or does not fit."""
    if synthetic is None:
        return ConfigError(
            "The objective got no synthetic image, but one of w_syn, alpha_enc and alpha_dec is "
            "above 0. Give the synthetic image of each mask, or set these weights to 0."
        )
    return ShapeError(
        f"Image and synthetic image must have one shape, got {tuple(image.shape)} and "
        f"{tuple(synthetic.shape)}. Give the pair the same size and channels before the objective."
    )
