"""Every part of TransUNet against its definition, computed naively."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from scipy import ndimage
from torch import Tensor

from s2s2.networks.transunet.decoder import Decoder, UpBlock
from s2s2.networks.transunet.encoder import Attention, Block, Encoder, resized
from s2s2.networks.transunet.resnet import ResNet, StandardisedConv2d, Unit, standardised


def shake(module: torch.nn.Module) -> None:
    """Give every parameter a value of its own: ones and zeros hide a mistake."""
    torch.manual_seed(1)
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.5)


def group_norm(x: Tensor, groups: int, layer: torch.nn.GroupNorm, epsilon: float) -> Tensor:
    result = torch.empty_like(x)
    size = x.shape[1] // groups
    for image in range(len(x)):
        for group in range(groups):
            part = slice(group * size, (group + 1) * size)
            values = x[image, part]
            result[image, part] = (values - values.mean()) / (values.var(correction=0) + epsilon).sqrt()
    return result * layer.weight[:, None, None] + layer.bias[:, None, None]


def batch_norm(x: Tensor) -> Tensor:
    mean, variance = x.mean((0, 2, 3), keepdim=True), x.var((0, 2, 3), keepdim=True, correction=0)
    return (x - mean) / (variance + 1e-5).sqrt()


def layer_norm(x: Tensor, layer: torch.nn.LayerNorm) -> Tensor:
    mean, variance = x.mean(-1, keepdim=True), x.var(-1, keepdim=True, correction=0)
    return (x - mean) / (variance + 1e-6).sqrt() * layer.weight + layer.bias


def test_kernels_are_standardised_filter_by_filter() -> None:
    weight = torch.randn(3, 2, 3, 3)
    for kernel, found in zip(weight, standardised(weight), strict=True):
        values = kernel.flatten().tolist()
        mean = sum(values) / len(values)
        variance = sum((value - mean) ** 2 for value in values) / len(values)
        expected = [(value - mean) / math.sqrt(variance + 1e-5) for value in values]
        torch.testing.assert_close(found.flatten(), torch.tensor(expected))


@pytest.mark.parametrize(("channels", "stride"), [(32, 1), (128, 1), (128, 2)])
def test_a_unit_is_three_convolutions_beside_its_input(channels: int, stride: int) -> None:
    unit = Unit(channels, 32, stride)
    shake(unit)
    x = torch.randn(2, channels, 5, 6)
    y = F.conv2d(x, standardised(unit.conv1.weight))
    y = group_norm(y, 32, unit.gn1, 1e-6).clamp(min=0)
    y = F.conv2d(y, standardised(unit.conv2.weight), stride=stride, padding=1)
    y = group_norm(y, 32, unit.gn2, 1e-6).clamp(min=0)
    y = group_norm(F.conv2d(y, standardised(unit.conv3.weight)), 32, unit.gn3, 1e-6)
    beside = x
    if (channels, stride) != (128, 1):
        beside = F.conv2d(x, standardised(unit.conv_proj.weight), stride=stride)
        beside = group_norm(beside, 128, unit.gn_proj, 1e-5)
    torch.testing.assert_close(unit(x), (beside + y).clamp(min=0), rtol=1e-4, atol=1e-4)


def test_the_resnet_pools_without_padding_and_pads_its_skip() -> None:
    resnet = ResNet(3, 32, (1, 1, 1))
    deepest, (eighth, quarter, half) = resnet(torch.rand(1, 3, 64, 96))
    assert [tuple(each.shape[1:]) for each in (deepest, eighth, quarter, half)] == [
        (512, 4, 6),
        (256, 8, 12),
        (128, 16, 24),
        (32, 32, 48),
    ]
    pooled = half.unfold(2, 3, 2).unfold(3, 3, 2).amax((-1, -2))
    torch.testing.assert_close(quarter[..., :-1, :-1], resnet.blocks[0](pooled))
    assert not quarter[..., -1, :].any()
    assert not quarter[..., -1].any()
    assert resnet.skip_widths == (256, 128, 32)


@pytest.mark.parametrize("channels", [1, 2, 6])
def test_any_number_of_equal_channels_is_a_grey_image(channels: int) -> None:
    torch.manual_seed(0)
    rgb, other = ResNet(3, 32, (1,)), ResNet(channels, 32, (1,))
    with torch.no_grad():
        if channels == 1:
            other.conv_root.weight.copy_(rgb.conv_root.weight)
        else:
            kernels = standardised(rgb.conv_root.weight).mean(1, keepdim=True) * 3 / channels
            other.conv_root.weight.copy_(kernels.expand_as(other.conv_root.weight))
    assert isinstance(other.conv_root, StandardisedConv2d) == (channels == 1)
    grey = torch.rand(1, 1, 32, 32)
    expected = rgb(grey.expand(-1, 3, -1, -1))[1][-1]
    torch.testing.assert_close(other(grey.expand(-1, channels, -1, -1))[1][-1], expected)


def test_attention_mixes_values_by_the_softmax_of_scaled_products() -> None:
    layer = Attention(width=6, heads=2)
    shake(layer)
    tokens = torch.randn(2, 5, 6)
    query, key, value = (project(tokens) for project in (layer.query, layer.key, layer.value))
    mixed = torch.zeros(2, 5, 6)
    for image in range(2):
        for head in (slice(0, 3), slice(3, 6)):
            for token in range(5):
                products = torch.stack([query[image, token, head] @ key[image, k, head] for k in range(5)])
                share = (products / math.sqrt(3)).softmax(0)
                mixed[image, token, head] = sum(share[k] * value[image, k, head] for k in range(5))  # type: ignore[assignment]
    torch.testing.assert_close(layer(tokens), layer.out(mixed))


def test_a_block_normalises_before_attention_and_perceptron() -> None:
    block = Block(width=6, heads=2, hidden=4, dropout=0.5).eval()
    shake(block)
    tokens = torch.randn(2, 5, 6)
    middle = tokens + block.attention(layer_norm(tokens, block.norm1))
    hidden = block.dense1(layer_norm(middle, block.norm2))
    hidden = hidden * (1 + torch.erf(hidden / math.sqrt(2))) / 2
    torch.testing.assert_close(block(tokens), middle + block.dense2(hidden))


def test_the_encoder_adds_positions_to_embedded_features() -> None:
    encoder = Encoder(
        3, stem=32, units=(1, 1, 1), width=6, depth=2, heads=2, hidden=4, grid=2, dropout=0.1
    ).eval()
    shake(encoder)
    images = torch.rand(1, 3, 32, 48)
    found, skips = encoder(images)
    features, expected_skips = encoder.resnet(images)
    kernel, bias = encoder.embedding.weight[:, :, 0, 0], encoder.embedding.bias
    positions = resized(encoder.positions, (2, 3))
    tokens = torch.stack(
        [
            kernel @ features[0, :, row, column] + bias + positions[0, :, row, column]
            for row in (0, 1)
            for column in (0, 1, 2)
        ]
    )[None]
    for block in encoder.blocks:
        tokens = block(tokens)
    tokens = layer_norm(tokens, encoder.norm)
    torch.testing.assert_close(found[0].permute(1, 2, 0).reshape(1, 6, 6), tokens, rtol=1e-4, atol=1e-4)
    assert all(map(torch.equal, skips, expected_skips))


@pytest.mark.parametrize("grid", [(4, 4), (7, 7), (5, 9), (2, 3)])
def test_positions_are_zoomed_as_in_the_published_code(grid: tuple[int, int]) -> None:
    positions = torch.randn(1, 3, 4, 4)
    zoomed = [ndimage.zoom(each.numpy(), (grid[0] / 4, grid[1] / 4), order=1) for each in positions[0]]
    expected = torch.stack([torch.from_numpy(each) for each in zoomed])[None]
    torch.testing.assert_close(resized(positions, grid), expected)


@pytest.mark.parametrize("skip", [0, 2])
def test_a_decoder_block_doubles_joins_and_convolves_twice(skip: int) -> None:
    block = UpBlock(3, skip, 4)
    x, beside = torch.randn(2, 3, 3, 2), torch.randn(2, skip, 6, 4)
    doubled = torch.zeros(2, 3, 6, 4)
    for row in range(6):
        for column in range(4):
            # Corners lie on corners: pixel k of 2n is at k * (n - 1) / (2n - 1).
            y, z = row * 2 / 5, column / 3
            top, left = min(int(y), 1), min(int(z), 0)
            for dy, dz in ((0, 0), (0, 1), (1, 0), (1, 1)):
                share = (1 - abs(y - top - dy)) * (1 - abs(z - left - dz))
                doubled[:, :, row, column] += share * x[:, :, top + dy, left + dz]
    expected = torch.cat([doubled, beside], 1)
    for layer in block.convolve:
        expected = batch_norm(F.conv2d(expected, layer[0].weight, padding=1)).clamp(min=0)
    torch.testing.assert_close(block(x, beside if skip else None), expected, rtol=1e-4, atol=1e-4)


def test_the_decoder_joins_the_deepest_skip_first() -> None:
    decoder = Decoder(6, (5, 4), (8, 7, 3, 2)).eval()
    x, skips = torch.randn(1, 6, 2, 2), [torch.randn(1, 5, 4, 4), torch.randn(1, 4, 8, 8)]
    first, second, third = decoder.blocks
    expected = third(second(first(decoder.first(x), skips[0]), skips[1]), None)
    torch.testing.assert_close(decoder(x, skips), expected)
    assert expected.shape == (1, 2, 16, 16)
