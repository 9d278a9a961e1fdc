"""TransUNet whole: its size, its shapes, its life in a tiny form."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from s2s2.errors import NetworkError
from s2s2.networks import NetworkConfig, build_network
from s2s2.networks.transunet.network import TransUNet
from s2s2.objective import FeatureTap
from tests.networks.whole_life import live_through

TINY: dict[str, Any] = {
    "stem": 32,
    "units": [2, 1, 1],
    "width": 24,
    "depth": 2,
    "heads": 2,
    "hidden": 32,
    "grid": 3,
    "decoder": [16, 16, 8, 8, 8],
}


@pytest.mark.parametrize("channels", [1, 3, 5])
def test_lives_through_training_saving_and_prediction(tmp_path: Path, channels: int) -> None:
    live_through(NetworkConfig("transunet", TINY, pretrained=False), tmp_path, channels=channels)


def test_has_the_published_number_of_parameters() -> None:
    with torch.device("meta"):
        network = TransUNet(channels=3, classes=9)
    assert sum(each.numel() for each in network.parameters()) == 105_277_081  # published: 105.28 million


@pytest.mark.parametrize("size", [(224, 224), (512, 512), (256, 352)])
def test_taps_are_the_tokens_and_what_the_head_sees(size: tuple[int, int]) -> None:
    height, width = size
    with torch.device("meta"):
        network = TransUNet(channels=1, classes=4)
        images = torch.zeros(1, 1, height, width)
    with FeatureTap(network, [*network.encoder_taps, *network.decoder_taps]) as tap:
        assert network(images).shape == (1, 4, height, width)
        encoder, decoder = tap.read().values()
    assert encoder.value.shape == (1, height * width // 256, 768)
    assert encoder.channels_last
    assert decoder.value.shape == (1, 16, height, width)


def test_skips_have_the_published_widths() -> None:
    with torch.device("meta"):
        network = TransUNet(channels=3, classes=2)
        deepest, skips = network.encoder.resnet(torch.zeros(1, 3, 224, 224))
    assert deepest.shape == (1, 1024, 14, 14)
    assert [tuple(skip.shape[1:]) for skip in skips] == [(512, 28, 28), (256, 56, 56), (64, 112, 112)]


def test_dropout_acts_in_training_alone() -> None:
    torch.manual_seed(0)
    network, images = TransUNet(3, 2, **TINY).eval(), torch.rand(1, 3, 32, 32)
    assert torch.equal(network(images), network(images))
    network.encoder.train()
    assert not torch.equal(network(images), network(images))


def test_refuses_sizes_between_the_strides() -> None:
    with pytest.raises(NetworkError, match=r"TransUNet got images of 40 x 64 pixels.*pad to 48 x 64"):
        TransUNet(3, 2, **TINY)(torch.rand(1, 3, 40, 64))


def test_starts_from_weights_unless_told_otherwise() -> None:
    with pytest.raises(NetworkError, match=r"transunet starts from pretrained weights .*R50\+ViT-B_16\.npz"):
        build_network(NetworkConfig("transunet", TINY), channels=3, classes=2)
