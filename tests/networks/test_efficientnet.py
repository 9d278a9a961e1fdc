"""The U-Net of SLAug: its parts, its size, and the weights that it starts from."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from monai.networks.nets.efficientnet import EfficientNetBN
from safetensors.torch import save_file
from torch import Tensor

from s2s2.errors import NetworkError
from s2s2.networks import NetworkConfig, build_network
from s2s2.networks.efficientnet import EfficientNetB2UNet
from s2s2.networks.measure import count_parameters
from s2s2.objective import FeatureTap
from tests.networks.whole_life import live_through


def test_lives_through_training_saving_and_prediction(tmp_path: Path) -> None:
    live_through(NetworkConfig("efficientnet-b2-unet", pretrained=False), tmp_path, channels=1)


def test_taps_lie_at_the_end_of_encoder_and_decoder() -> None:
    network = EfficientNetB2UNet(1, 2)
    with FeatureTap(network, [*network.encoder_taps, *network.decoder_taps]) as tap:
        network(torch.rand(1, 1, 64, 96))
        shapes = [tuple(feature.shape) for feature in tap.features().values()]
    assert shapes == [(1, 352, 2, 3), (1, 16, 64, 96)]


def test_has_the_size_of_the_published_network_without_its_classifier() -> None:
    with torch.device("meta"):
        whole = EfficientNetBN("efficientnet-b2", pretrained=False)
    head = sum(each.numel() for name in ("_conv_head", "_bn1") for each in getattr(whole, name).parameters())
    encoder = sum(each.numel() for each in whole.parameters()) - 1408 * 1000 - 1000 - head
    # Two 3 x 3 convolutions and normalisations a block: (channels, skip, width).
    blocks = [(352, 120, 256), (256, 48, 128), (128, 24, 64), (64, 32, 32), (32, 0, 16)]
    decoder = sum(9 * (below + skip) * width + 9 * width**2 + 4 * width for below, skip, width in blocks)
    expected = encoder + decoder + (9 * 16 + 1) * 2
    assert count_parameters(NetworkConfig("efficientnet-b2-unet")) == expected == 9_548_004


def test_the_decoder_doubles_joins_and_convolves_twice() -> None:
    torch.manual_seed(0)
    network = EfficientNetB2UNet(1, 2).eval()
    with torch.no_grad():
        features = network.encoder(torch.rand(1, 1, 32, 64))
        assert [each.shape[1:] for each in features] == [
            (32, 16, 32),
            (24, 8, 16),
            (48, 4, 8),
            (120, 2, 4),
            (352, 1, 2),
        ]
        x, skips = features[-1], [*features[-2::-1], None]
        for block, skip in zip(network.decoder.blocks, skips, strict=True):  # type: ignore[arg-type]
            x = x.repeat_interleave(2, 2).repeat_interleave(2, 3)
            x = x if skip is None else torch.cat([skip, x], 1)
            for layer in (block.convs.conv_0, block.convs.conv_1):
                x = (F.conv2d(x, layer.conv.weight, padding=1) / (1 + 1e-5) ** 0.5).clamp(min=0)
        torch.testing.assert_close(network.decoder(features), x)


@pytest.fixture(scope="module")
def published() -> dict[str, Tensor]:
    torch.manual_seed(0)
    return EfficientNetBN("efficientnet-b2", pretrained=False).state_dict()  # type: ignore[no-any-return]


@pytest.mark.parametrize("flat", [False, True], ids=["monai", "efficientnet_pytorch"])
@pytest.mark.parametrize("channels", [1, 3])
def test_starts_from_weights_by_either_name(
    tmp_path: Path, published: dict[str, Tensor], flat: bool, channels: int
) -> None:
    file = tmp_path / "model.safetensors"
    short = re.compile(r"_blocks\.\d+\.(?=\d)")
    save_file({short.sub("_blocks.", name) if flat else name: each for name, each in published.items()}, file)
    config = NetworkConfig("efficientnet-b2-unet", weights=str(file))
    found = build_network(config, channels=channels, classes=2).encoder.state_dict()  # type: ignore[union-attr]
    stem = found.pop("_conv_stem.weight")
    assert len(found) > 300
    assert all(torch.equal(each, published[name]) for name, each in found.items())
    kernel = published["_conv_stem.weight"]
    torch.testing.assert_close(stem, kernel.sum(1, keepdim=True) if channels == 1 else kernel)


def test_refuses_weights_of_another_network(tmp_path: Path, published: dict[str, Tensor]) -> None:
    changed = {name: each for name, each in published.items() if name != "_blocks.0.0._bn1.weight"}
    save_file(changed, tmp_path / "model.safetensors")
    with pytest.raises(NetworkError, match=r"it lacks _blocks\.0\.0\._bn1\.weight"):
        EfficientNetB2UNet(3, 2, str(tmp_path / "model.safetensors"))


def test_refuses_sizes_between_the_strides() -> None:
    with pytest.raises(
        NetworkError, match=r"EfficientNetB2UNet got images of 40 x 64 pixels.*pad to 64 x 64"
    ):
        EfficientNetB2UNet(3, 2)(torch.rand(1, 3, 40, 64))
