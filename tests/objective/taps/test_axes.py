"""Which axis holds the channels: named, told by shape and module, or refused."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from s2s2.errors import ShapeError
from s2s2.objective import ConsistencyLoss, SemanticStacking, Tap
from s2s2.objective.taps.axes import channel_axis

CE = nn.CrossEntropyLoss()


@pytest.mark.parametrize(
    ("shape", "size", "last", "axis"),
    [
        ((2, 64, 56, 56), (224, 224), False, 1),
        ((2, 64, 56, 80), (224, 320), True, 1),  # SwinUNETR turns its maps itself
        ((2, 7, 10, 768), (224, 320), True, -1),
        ((2, 56, 56, 56), (224, 224), False, 1),  # the custom, where nothing speaks against it
        ((2, 8, 8, 1), (64, 64), False, None),  # pooled along one axis, or channels last
        ((2, 7, 7, 768), (224, 224), False, None),
        ((2, 96, 96, 96), (384, 384), True, None),
        ((2, 5, 9, 3), (64, 64), False, 1),
        ((2, 5, 9, 3), (64, 64), True, None),
        ((2, 16, 4, 8, 8), (16, 32, 32), False, 1),
        ((2, 4, 8, 8, 16), (16, 32, 32), True, -1),
        ((2, 32, 20, 40, 40), (20, 160, 160), False, 1),  # strides that differ by axis
        ((2, 196, 768), (224, 224), False, -1),
        ((2, 197, 1024), (224, 224), False, -1),  # a class token
        ((2, 201, 1024), (224, 224), True, -1),
        ((2, 300, 256), (224, 224), True, -1),  # queries of a decoder
        ((2, 95, 256), (64, 64), False, None),  # a map without its second axis
        ((2, 512), (64, 64), False, 1),
        ((2, 96, 7, 7), None, False, 1),
    ],
)
def test_the_axis_is_told_or_refused(shape: Any, size: Any, last: bool, axis: int | None) -> None:
    if axis is None:
        with pytest.raises(ShapeError, match=r"do not tell whether .*channel_dim"):
            channel_axis(shape, size, last=last)
        return
    assert channel_axis(shape, size, last=last) == axis
    for named in (1, -1):
        assert channel_axis(shape, size, named, last=last) == named


@pytest.mark.parametrize("named", [0, -4, 4, 7])
def test_an_axis_that_holds_no_channels_is_refused(named: int) -> None:
    with pytest.raises(ShapeError, match=f"channel_dim is {named}, but the features have shape"):
        channel_axis((2, 5, 4, 4), (8, 8), named)
    with pytest.raises(ShapeError, match=r"shape \(3,\), expected \(batch, channel"):
        channel_axis((3,), None)


class Swin(nn.Module):
    """Layers of (batch, height, width, channel), as torchvision's and timm's are."""

    def __init__(self, channels: int = 12) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.embed = nn.Conv2d(3, channels, 2, stride=2)
        self.layers = nn.ModuleList(
            [nn.Sequential(nn.LayerNorm(channels), nn.Linear(channels, channels)) for _ in range(2)]
        )
        self.act, self.up = nn.GELU(), nn.ConvTranspose2d(channels, 2, 2, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.embed(x).permute(0, 2, 3, 1)
        for layer in self.layers:
            x = x + layer(x)
        return self.up(self.act(x).permute(0, 3, 1, 2))


IMAGE, SYNTHETIC = torch.rand(2, 4, 3, 16, 16).unbind()
MASK = torch.randint(2, (4, 16, 16))


def encoder(network: nn.Module, tap: Any, **options: Any) -> Tensor:
    consistency = ConsistencyLoss(**options)
    objective = SemanticStacking(CE, encoder=[tap], consistency=consistency)
    return objective.terms(network, IMAGE, SYNTHETIC, MASK).encoder


@pytest.mark.parametrize("weighting", [None, "class"])
def test_channels_last_maps_are_compared_along_their_channels(weighting: Any) -> None:
    network = Swin()
    values = []
    network.layers[0].register_forward_hook(lambda _m, _a, output: values.append(output.detach()))
    named = encoder(network, Tap("layers.0", channel_dim=-1), weighting=weighting)
    f, g = values[0].movedim(-1, 1).chunk(2)
    torch.testing.assert_close(named, ConsistencyLoss(weighting=weighting)(f, g, MASK))
    torch.testing.assert_close(encoder(network, "layers.0", weighting=weighting), named)  # layers tell
    torch.testing.assert_close(encoder(network, "layers.0", channel_dim=-1, weighting=weighting), named)
    # What a tap says comes before what the distance says.
    tap = Tap("layers.0", channel_dim=-1)
    torch.testing.assert_close(encoder(network, tap, channel_dim=1, weighting=weighting), named)


def test_what_cannot_be_told_is_refused_with_the_name_of_the_tap() -> None:
    with pytest.raises(ShapeError, match=r"Tap 'act': Features of shape \(4, 8, 8, 12\).*channel_dim"):
        encoder(Swin(), "act")
    with pytest.raises(ShapeError, match=r"Tap 'layers\.0': Features of shape \(4, 8, 8, 8\)"):
        encoder(Swin(channels=8), "layers.0")
    assert encoder(Swin(channels=8), Tap("layers.0", channel_dim=-1)).isfinite()
    assert encoder(Swin(), Tap("act", channel_dim=-1)).isfinite()


def test_a_distance_of_ones_own_gets_the_channels_where_they_are_by_custom() -> None:
    shapes = []

    def own(real: Tensor, synthetic: Tensor, mask: Tensor) -> Tensor:
        shapes.append(tuple(real.shape))
        return (real - synthetic).abs().mean()

    objective = SemanticStacking(CE, encoder=[Tap("layers.0", channel_dim=-1)], consistency=own)
    objective(Swin(), IMAGE, SYNTHETIC, MASK)
    SemanticStacking(CE, encoder=["layers.0"], consistency=own)(Swin(), IMAGE, SYNTHETIC, MASK)
    assert shapes == [(4, 12, 8, 8), (4, 8, 8, 12)]


def test_a_distance_that_is_derived_keeps_its_own_call() -> None:
    class Doubled(ConsistencyLoss):
        def forward(self, real: Tensor, synthetic: Tensor, mask: Any = None) -> Tensor:  # type: ignore[override]
            return 2 * super().forward(real, synthetic, mask)

    objective = SemanticStacking(CE, encoder=[Tap("layers.0", channel_dim=-1)], consistency=Doubled())
    got = objective.terms(Swin(), IMAGE, SYNTHETIC, MASK).encoder
    torch.testing.assert_close(got, 2 * encoder(Swin(), Tap("layers.0", channel_dim=-1)))
