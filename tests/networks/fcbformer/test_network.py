"""FCBFormer as a network of s2s2: published size, taps, training, sizes that are refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

import pytest
import torch
from torch import nn

from s2s2.data import ClassMap
from s2s2.errors import NetworkError
from s2s2.networks import (
    NetworkCard,
    NetworkConfig,
    build_network,
    default_normalisation,
    load_network,
    save_network,
    taps,
)
from s2s2.networks.fcbformer.network import FCBFormer
from s2s2.objective import FeatureTap, SemanticStacking
from tests.networks.fcbformer.naive import TINY

SMALL = NetworkConfig("fcbformer", TINY, pretrained=False)


def test_it_is_as_large_as_the_published_network() -> None:
    def convolution(channels: int, width: int, side: int = 3) -> int:
        return width * (channels * side * side + 1)

    def residual(channels: int, width: int) -> int:
        skip = 0 if channels == width else convolution(channels, width, 1)
        return 2 * channels + convolution(channels, width) + 2 * width + convolution(width, width) + skip

    published = 44_725_696  # PVTv2-b3: 45.24 M parameters with its classifier of 1000 classes, 513000
    published += sum(residual(width, 64) + residual(64, 64) for width in (64, 128, 320, 512))
    published += 3 * (residual(128, 64) + residual(64, 64))
    down = [32, 32, 64, 64, 128, 128]
    published += convolution(3, 32)
    for before, width in zip([32, *down], down, strict=False):
        published += residual(before, width) + residual(width, width)
    published += sum(convolution(width, width) for width in down[:-1])
    published += 2 * residual(128, 128)
    kept = [32, 32, 32, 32, 32, 32, 32, 64, 64, 64, 64, 64, 64, 128, 128, 128, 128, 128]
    x = 128
    for width in reversed(down):
        for _ in range(3):
            published += residual(x + kept.pop(), width)
            x = width
    published += sum(convolution(width, width) for width in down[1:])
    published += residual(96, 64) + residual(64, 64) + convolution(64, 1, 1)
    assert published == 52_962_337

    with torch.device("meta"):
        network = FCBFormer(3, 2)
        logits = network(torch.empty(1, 3, 352, 352))
    second_logit = 65
    assert sum(each.numel() for each in network.parameters()) == published + second_logit
    assert sum(each.numel() for each in network.transformer_branch.backbone.parameters()) == 44_725_696
    assert logits.shape == (1, 2, 352, 352)


def test_taps_are_the_published_ones() -> None:
    network = build_network(SMALL, channels=3, classes=2)
    encoder, decoder = taps(SMALL)
    with FeatureTap(network, [*encoder, *decoder]) as tap:
        network(torch.rand(2, 3, 64, 96))
        shapes = {name: tuple(feature.shape) for name, feature in tap.features().items()}
    assert shapes == {
        "transformer_branch": (2, 64, 16, 24),
        "convolutional_branch.encoder.5.blocks.1": (2, 128, 2, 3),
        "head.blocks.1": (2, 64, 64, 96),
    }


def test_the_tap_of_the_convolutional_branch_is_what_enters_its_bottleneck() -> None:
    network = FCBFormer(3, 2, **TINY).eval()
    entered: list[torch.Tensor] = []
    network.convolutional_branch.bottleneck.register_forward_pre_hook(
        lambda _, given: entered.append(given[0])
    )
    with FeatureTap(network, [network.encoder_taps[1]]) as tap:
        network(torch.rand(1, 3, 32, 32))
        assert torch.equal(tap.features()[network.encoder_taps[1]], entered[0])


@pytest.mark.parametrize("form", ["joint", "separate"])
def test_it_learns_from_one_pair_through_all_taps(form: Literal["joint", "separate"]) -> None:
    torch.manual_seed(0)
    network = build_network(SMALL, channels=1, classes=3, size=32)
    encoder, decoder = taps(SMALL)
    objective = SemanticStacking(
        nn.CrossEntropyLoss(), encoder=encoder, decoder=decoder, alpha_dec=0.2, forward_pass=form
    )
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-4)
    image, synthetic, mask = torch.rand(1, 1, 32, 32), torch.rand(1, 1, 32, 32), torch.randint(3, (1, 32, 32))
    losses = []
    for _ in range(3):
        optimiser.zero_grad()
        terms = objective(network, image, synthetic, mask)
        terms.backward()
        assert [name for name, each in network.named_parameters() if each.grad is None] == []
        optimiser.step()
        losses.append(terms.item())
    objective.close()
    assert losses[2] < losses[1] < losses[0]


@pytest.mark.parametrize("name", ["transformer_branch", "convolutional_branch.encoder.5.blocks.1"])
def test_a_tap_sends_gradient_to_its_own_branch(name: str) -> None:
    network = FCBFormer(3, 2, **TINY)
    with FeatureTap(network, [name]) as tap:
        network(torch.rand(1, 3, 32, 32))
        tap.features()[name].square().mean().backward()
    moved = {key.split(".")[0] for key, each in network.named_parameters() if each.grad is not None}
    assert moved == {name.split(".")[0]}


def test_a_batch_gives_what_its_images_give_one_by_one_in_both_modes() -> None:
    network = FCBFormer(3, 2, **TINY)
    images = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        one_by_one = torch.cat([network(image[None]) for image in images])
        torch.testing.assert_close(network(images), one_by_one, rtol=1e-3, atol=1e-4)
        torch.testing.assert_close(network.eval()(images), one_by_one, rtol=1e-3, atol=1e-4)


def test_it_comes_back_from_disk(tmp_path: Path) -> None:
    network = build_network(SMALL, channels=1, classes=2).eval()
    card = NetworkCard(
        network=SMALL,
        channels=1,
        size=32,
        patch=None,
        class_map=ClassMap.parse(["background=0", "polyp=255"]),
        normalisation=default_normalisation(1),
        split={"train": ("a",)},
        arm="s2s2",
        seed=0,
        training={"steps": 1},
    )
    save_network(tmp_path, network, card)
    assert json.loads((tmp_path / "network.json").read_text())["network"]["name"] == "fcbformer"
    loaded, _ = load_network(tmp_path)
    images = torch.rand(1, 1, 64, 32)
    with torch.no_grad():
        assert torch.equal(loaded.eval()(images), network(images))


def test_refuses_what_it_cannot_take() -> None:
    network = FCBFormer(3, 2, **TINY)
    with pytest.raises(NetworkError, match=r"FCBFormer got images of 100 x 64 pixels.*pad to 128 x 64"):
        network(torch.rand(1, 3, 100, 64))
    with pytest.raises(NetworkError, match="got 0 channels and 2 classes"):
        FCBFormer(0, 2, **TINY)
    for changed in ({"widths": (64, 128, 320)}, {"widths": (64, 128, 100, 512)}, {"depths": (1, 1, 1, 0)}):
        with pytest.raises(NetworkError, match=r"multiples of \[32, 32, 160, 32\]"):
            FCBFormer(3, 2, **{**TINY, **changed})
