"""What an objective takes from a network: taps, shapes, channel axes, gradients, and what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from s2s2.errors import ShapeError, TapError
from s2s2.objective.taps.features import Feature, FeatureTap, Tap, refuse_without_gradient, unwrap
from s2s2.objective.taps.rules import Rule

Side = tuple[str, Sequence[Rule | Tap], float]
"""Name of a side, its taps and its weight."""


class Row(NamedTuple):
    """One feature, or one tap that gave none."""

    side: str
    """`"encoder"` or `"decoder"`."""
    name: str
    """The module's name, and the element of its output."""
    shape: tuple[int, ...] | None
    """Of the feature; None where there is none."""
    channel_dim: int | None
    """Axis that is taken for the channels, counted from 0; None where it is unknown."""
    gradient: bool
    """Whether gradients reach the network through it."""
    weight: float
    """Factor of its distance in the loss."""
    taken: str
    """What of the module's output it is."""
    fault: str | None = None
    """Why it cannot be compared, and what to do; None where it can."""


@dataclass(frozen=True, repr=False)
class Description:
    """A table of features, for printing.

    Args:
        rows: One a feature.
    """

    rows: tuple[Row, ...]

    @property
    def faults(self) -> tuple[str, ...]:
        """What a training step would be refused for."""
        return tuple(row.fault for row in self.rows if row.fault is not None)

    def __str__(self) -> str:
        """Return the table, and the faults below it."""
        cells = [("side", "tap", "shape", "channels", "gradient", "weight", "taken")]
        for row in self.rows:
            axis = "?"
            if row.channel_dim is not None and row.shape is not None:
                axis = f"axis {row.channel_dim} ({row.shape[row.channel_dim]})"
            shape = "-" if row.shape is None else str(row.shape)
            flows = "yes" if row.gradient else "no"
            cells.append((row.side, row.name, shape, axis, flows, f"{row.weight:g}", row.taken))
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in cells]
        return "\n".join([*lines, *(f"! {fault}" for fault in self.faults)])

    __repr__ = __str__


def describe(
    network: nn.Module, image: Tensor, sides: Sequence[Side], axis: Callable[[Feature, Sequence[int]], int]
) -> Description:
    """Run a network once and describe what the taps read, faults included; nothing is left changed.

    Args:
        network: In the mode, training or evaluation, that is to be described.
        image: (batch, channel, *size).
        sides: What is tapped.
        axis: Tells the channel axis of a feature of an image of some size.

    Raises:
        TapError: If a tap names no module.
    """
    taps = [(side, weight, FeatureTap(network, names)) for side, names, weight in sides]
    inside, rows = unwrap(network), []
    try:
        with _kept(inside, image.device), torch.enable_grad():
            inside(image)
        for side, weight, tap in taps:
            for label, result in tap.attempt():
                if isinstance(result, TapError):
                    rows.append(Row(side, label, None, None, False, weight, "-", str(result)))
                else:
                    rows += _rows(side, label, result, weight, lambda f: axis(f, image.shape[2:]))
    finally:
        for _, _, tap in taps:
            tap.close()
    return Description(tuple(rows))


def _rows(
    side: str, label: str, features: dict[str, Feature], weight: float, axis: Callable[[Feature], int]
) -> Iterator[Row]:
    fault = None
    try:
        with torch.enable_grad():
            refuse_without_gradient([features], weight)
    except TapError as error:
        fault = str(error)
    for number, (name, feature) in enumerate(features.items(), start=1):
        taken = "the output" if name == label and not feature.tap.keys else "one item"
        if len(features) > 1:
            taken = f"item {number} of {len(features)}, all are compared; item=... takes one"
        try:
            channel_dim: int | None = axis(feature) % feature.value.ndim
        except ShapeError as error:
            channel_dim, fault = None, fault or f"Tap {name!r}: {error}"
        shape, flows = tuple(feature.value.shape), feature.value.requires_grad
        yield Row(side, name, shape, channel_dim, flows, weight * feature.tap.weight, taken, fault)
        fault = None  # said once


@contextmanager
def _kept(network: nn.Module, device: torch.device) -> Iterator[None]:
    """Put buffers and random numbers back afterwards."""
    buffers = {name: buffer.clone() for name, buffer in network.named_buffers()}
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        yield
    with torch.no_grad():
        for name, buffer in network.named_buffers():
            buffer.copy_(buffers[name])
