"""The whole network on a frozen encoder: its life, its decoder, and that it needs the model only once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from s2s2.errors import NetworkError, TapError
from s2s2.networks import NetworkConfig, build_network, load_network, read_card, save_network
from s2s2.networks.build import completed
from s2s2.networks.dino.network import DinoLight
from s2s2.networks.measure import count_parameters
from s2s2.objective import FeatureTap, SemanticStacking
from tests.networks.dino.models import KINDS, save_tiny
from tests.networks.whole_life import card, live_through

WIDTHS = {"widths": [16, 8, 8, 8]}


@pytest.mark.parametrize(("kind", "channels"), [*zip(KINDS, (3, 1, 4), strict=True)])
def test_lives_through_training_saving_and_prediction(tmp_path: Path, kind: str, channels: int) -> None:
    save_tiny(kind, tmp_path / "model")
    config = NetworkConfig("dino-light", WIDTHS, weights=str(tmp_path / "model"))
    before = build_network(config, channels=channels, classes=3).encoder.state_dict()  # type: ignore[union-attr]
    network = live_through(config, tmp_path / "network", channels=channels)
    after = network.encoder.state_dict()  # type: ignore[union-attr]
    assert before.keys() == after.keys()
    assert all(torch.equal(after[name], each) for name, each in before.items())


def test_all_of_it_learns_where_nothing_is_frozen(tmp_path: Path) -> None:
    save_tiny("dinov3_vit", tmp_path / "model")
    config = NetworkConfig("dino-light", {**WIDTHS, "frozen": False}, weights=str(tmp_path / "model"))
    network = live_through(config, tmp_path / "network", channels=3)
    still = [name for name, each in network.named_parameters() if not each.requires_grad]
    assert still == ["encoder.backbone.embeddings.mask_token"]


def test_it_is_loaded_again_without_the_model(tmp_path: Path) -> None:
    save_tiny("dinov3_vit", tmp_path / "model")
    given = NetworkConfig("dino-light", WIDTHS, weights=str(tmp_path / "model"))
    config = completed(given)
    assert config.init_args["encoder"]["num_register_tokens"] == 3
    assert completed(config) == config
    network = build_network(config, channels=3, classes=3).eval()
    save_network(tmp_path / "network", network, card(config, 3))
    shutil.rmtree(tmp_path / "model")
    loaded, _ = load_network(tmp_path / "network")
    images = torch.rand(1, 3, 32, 32)
    assert torch.equal(loaded(images), network(images))
    assert read_card(tmp_path / "network").network == config


def test_other_networks_are_complete_as_they_are() -> None:
    for config in (NetworkConfig(), NetworkConfig("transunet", weights="file.npz"), NetworkConfig("a.b.C")):
        assert completed(config) is config


def test_the_decoder_joins_features_and_detail_from_coarse_to_fine() -> None:
    torch.manual_seed(0)
    tiny = {"hidden_size": 24, "num_hidden_layers": 4, "num_attention_heads": 2, "image_size": 28}
    network = DinoLight(3, 2, encoder={"model_type": "dinov2", **tiny}, widths=(16, 12, 8, 4)).eval()
    images = torch.rand(1, 3, 32, 48)

    def resized(x: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
        return F.interpolate(x, size=size, mode="bilinear", align_corners=False)

    half, quarter, eighth = network.detail(images)
    assert [each.shape[1:] for each in (half, quarter, eighth)] == [(2, 16, 24), (4, 8, 12), (6, 4, 6)]
    first, second, third, deepest = network.encoder(images)
    x = network.projections[0](deepest)
    assert x.shape == (1, 16, 3, 4)
    steps = zip((third, second, first), (eighth, quarter, half), ((4, 6), (8, 12), (16, 24)), strict=True)
    for index, (feature, detail, size) in enumerate(steps):
        joined = [resized(x, size), resized(network.projections[index + 1](feature), size), detail]
        x = network.decoder.blocks[index](torch.cat(joined, 1))
    torch.testing.assert_close(network(images), resized(network.head(x), (32, 48)))


def test_taps_are_the_first_features_that_learn_and_what_the_head_sees() -> None:
    with torch.device("meta"):
        network = DinoLight(3, 2)
        images = torch.zeros(1, 3, 224, 288)
    with FeatureTap(network, [*network.encoder_taps, *network.decoder_taps]) as tap:
        assert network(images).shape == (1, 2, 224, 288)
        shapes = [tuple(each.shape) for each in tap.features().values()]
    assert shapes == [(1, 256, 16, 21), (1, 32, 112, 144)]
    learning = sum(each.numel() for each in network.parameters() if each.requires_grad)
    assert learning < 1.2e6
    assert count_parameters(NetworkConfig("dino-light")) > 22e6


def test_a_tap_on_frozen_features_is_refused(tmp_path: Path) -> None:
    save_tiny("dinov2", tmp_path)
    network = build_network(NetworkConfig("dino-light", WIDTHS, weights=str(tmp_path)), channels=3, classes=2)
    objective = SemanticStacking(nn.CrossEntropyLoss(), encoder=["encoder.backbone:feature_maps:3"])
    image, synthetic = torch.rand(2, 1, 3, 32, 32)
    with pytest.raises(TapError, match="it is frozen"):
        objective(network, image, synthetic, torch.zeros(1, 32, 32, dtype=torch.long))


def test_weights_are_asked_for_and_sizes_checked() -> None:
    with pytest.raises(
        NetworkError, match=r"dino-light starts from pretrained weights .*facebook/dinov2-small"
    ):
        build_network(NetworkConfig("dino-light"), channels=3, classes=2)
    with torch.device("meta"):
        network = DinoLight(3, 2)
        with pytest.raises(NetworkError, match=r"DinoLight got images of 20 x 64 pixels.*pad to 24 x 64"):
            network(torch.zeros(1, 3, 20, 64))
