"""Each part of FCBFormer gives what plain arithmetic gives with its own weights."""

from __future__ import annotations

import pytest
import torch

from s2s2.networks.fcbformer.blocks import ResidualBlock
from s2s2.networks.fcbformer.convolutional import ConvolutionalBranch
from s2s2.networks.fcbformer.head import PredictionHead
from s2s2.networks.fcbformer.network import FCBFormer
from s2s2.networks.fcbformer.transformer import TransformerBranch
from tests.networks.fcbformer.naive import TINY, convolve, disturb, enlarge, layers_of, residual


def close(found: torch.Tensor, expected: torch.Tensor) -> None:
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3 * expected.abs().max().item())


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


@torch.no_grad()
@pytest.mark.parametrize(("channels", "width"), [(64, 64), (96, 32)])
def test_residual_block(channels: int, width: int) -> None:
    block = disturb(ResidualBlock(channels, width))
    x = torch.randn(2, channels, 5, 4)
    close(block(x), residual(x, layers_of(block)))


@torch.no_grad()
def test_convolutional_branch() -> None:
    branch = disturb(ConvolutionalBranch(channels=2))
    images = torch.rand(1, 2, 32, 64)
    # As published: one list of features, to which every layer of the encoder adds and from which every
    # layer of the decoder takes.
    down, middle, up = (layers_of(part) for part in (branch.encoder, branch.bottleneck, branch.decoder))
    x, kept = images, []
    for level in range(6):
        x = convolve(x, next(down), stride=1 if level == 0 else 2)
        kept.append(x)
        for _ in range(2):
            x = residual(x, down)
            kept.append(x)
    widths = [each.shape[1] for each in kept]
    assert widths == [32, 32, 32, 32, 32, 32, 32, 64, 64, 64, 64, 64, 64, 128, 128, 128, 128, 128]
    for _ in range(2):
        x = residual(x, middle)
    for level in range(6):
        for _ in range(3):
            x = residual(torch.cat([x, kept.pop()], dim=1), up)
        if level < 5:
            x = convolve(enlarge(x, 2), next(up))
    assert not kept
    assert all(next(layers, None) is None for layers in (down, middle, up))
    assert x.shape == (1, 32, 32, 64)
    close(branch(images), x)


@torch.no_grad()
def test_transformer_branch() -> None:
    branch = disturb(TransformerBranch(3, **TINY, weights=None))
    images = torch.rand(1, 3, 64, 32)
    stages = branch.backbone(images).feature_maps
    assert [tuple(each.shape) for each in stages] == [
        (1, 32, 16, 8),
        (1, 32, 8, 4),
        (1, 160, 4, 2),
        (1, 64, 2, 1),
    ]
    emphasised = []
    for level, (stage, pair) in enumerate(zip(stages, branch.emphasis, strict=True)):
        layers = layers_of(pair)
        emphasised.append(enlarge(residual(residual(stage, layers), layers), 2**level))
    x = emphasised[3]
    for level in (2, 1, 0):
        layers = layers_of(branch.aggregation[level])
        x = residual(residual(torch.cat([emphasised[level], x], dim=1), layers), layers)
    close(branch(images), x)


@torch.no_grad()
def test_head() -> None:
    head = disturb(PredictionHead(96, 64, classes=3))
    features = torch.randn(2, 96, 4, 6)
    layers = layers_of(head)
    expected = convolve(residual(residual(features, layers), layers), next(layers))
    close(head(features), expected)


@torch.no_grad()
def test_network() -> None:
    network = disturb(FCBFormer(1, 2, **TINY))
    images = torch.rand(2, 1, 32, 64)
    coarse, fine = network.transformer_branch(images), network.convolutional_branch(images)
    joined = torch.cat([enlarge(coarse, 4), fine], dim=1)
    torch.testing.assert_close(network(images), network.head(joined))
