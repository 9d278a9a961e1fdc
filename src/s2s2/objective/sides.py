"""The features of encoder and decoder: those that a user computed, and the distance of two images'."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor

from s2s2.errors import ConfigError, ShapeError
from s2s2.objective.consistency import ConsistencyLoss
from s2s2.objective.taps.axes import channel_axis
from s2s2.objective.taps.features import Feature, Tap
from s2s2.objective.taps.outputs import named_tensors
from s2s2.objective.taps.rules import Rule

Features = dict[str, Feature]
"""By name, in the order of the taps."""

SIDES = ("encoder", "decoder")


def features_of(given: Any, taps: Mapping[str, Sequence[Rule | Tap]]) -> list[Features]:
    """Return the encoder's and the decoder's features by name.

    Args:
        given: A tensor or a structure of tensors for the encoder, or a mapping of
            `"encoder"` and `"decoder"` to such; None for no features.
        taps: By side; where there are as many as tensors, their options hold in this order.

    Raises:
        ConfigError: If taps with options are more or fewer than the tensors.
    """
    apart = isinstance(given, Mapping) and bool(given) and set(given) <= set(SIDES)
    by_side = given if apart else {"encoder": given}
    return [_side(side, by_side.get(side), [Tap.of(tap) for tap in taps[side]]) for side in SIDES]


def _side(side: str, given: Any, taps: Sequence[Tap]) -> Features:
    found = dict(named_tensors(side, given))
    if len(taps) == len(found):
        options = list(taps)
    elif all(tap.compares_like(Tap("")) for tap in taps) or not found:
        options = [Tap(name) for name in found]
    else:
        raise ConfigError(
            f"There are {len(found)} {side} features for {len(taps)} taps with options. Give one feature a "
            "tap, in the order of the taps."
        )
    return {name: Feature(value, tap) for (name, value), tap in zip(found.items(), options, strict=True)}


def refuse_unequal(real: Features, synthetic: Features) -> None:
    """Refuse two sides that cannot be compared one by one.

    Raises:
        ShapeError: If they differ in names or number.
    """
    if list(real) != list(synthetic):
        raise ShapeError(
            f"The real image has the features {', '.join(real) or 'none'}, the synthetic one "
            f"{', '.join(synthetic) or 'none'}. Give both the same structure of tensors."
        )


def apart(
    consistency: Callable[..., Tensor],
    real: Features,
    synthetic: Features,
    mask: Tensor,
    ignore: Tensor | None,
) -> Tensor:
    """Return the distance between the features of two images, a weighted sum over the taps; NaN without taps.

    Raises:
        ShapeError: If features do not fit each other or the mask; it names the tap.
    """
    if not real:
        return torch.full((), math.nan, device=mask.device)
    given = (mask,) if ignore is None else (mask, ignore)
    terms = []
    for name, feature in real.items():
        try:
            distance = _distance(consistency, feature, synthetic[name].value, given)
        except ShapeError as error:
            raise ShapeError(f"Tap {name!r}: {error}") from error
        terms.append(feature.tap.weight * distance)
    return cast(Tensor, sum(terms))


def axis_of(consistency: Callable[..., Tensor], feature: Feature, size: Sequence[int]) -> int:
    """Return the axis of a feature's channels: the tap's, the distance's own, or what its shape tells.

    Raises:
        ShapeError: If nothing tells it.
    """
    named = feature.tap.channel_dim
    if named is None:
        named = getattr(consistency, "channel_dim", None)
    return channel_axis(feature.value.shape, size, named, last=feature.channels_last)


def _distance(
    consistency: Callable[..., Tensor], real: Feature, synthetic: Tensor, given: tuple[Tensor, ...]
) -> Tensor:
    # A subclass with a forward of its own does not take the axis.
    if getattr(type(consistency), "forward", None) is ConsistencyLoss.forward:
        axis = axis_of(consistency, real, given[0].shape[1:])
        return consistency(real.value, synthetic, *given, channel_dim=axis)
    values = [real.value, synthetic]
    if real.tap.channel_dim is not None:  # to where a distance of the user's own expects it by custom
        values = [value.movedim(real.tap.channel_dim, -1 if value.ndim == 3 else 1) for value in values]
    return consistency(*values, *given)
