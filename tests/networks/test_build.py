from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from s2s2.errors import NetworkError, TapError
from s2s2.networks import NetworkConfig, build_network, taps
from s2s2.objective import SemanticStacking

MONAI = {
    "UNet": NetworkConfig(
        name="monai.networks.nets.UNet",
        init_args={
            "spatial_dims": 2,
            "in_channels": "{channels}",
            "out_channels": "{classes}",
            "channels": [4, 8, 16],
            "strides": [2, 2],
        },
        encoder_taps=("model.1.submodule.1.submodule",),
        decoder_taps=("model.1.submodule",),
    ),
    "SegResNet": NetworkConfig(
        name="monai.networks.nets:SegResNet",
        init_args={
            "spatial_dims": 2,
            "init_filters": 8,
            "in_channels": "{channels}",
            "out_channels": "{classes}",
            "blocks_down": [1, 1, 1],
            "blocks_up": [1, 1],
        },
        encoder_taps=("down_layers[-1]",),
        decoder_taps=("up_layers[-1]",),
    ),
    "UNETR, tokens and a list of them": NetworkConfig(
        name="monai.networks.nets.UNETR",
        init_args={
            "spatial_dims": 2,
            "in_channels": "{channels}",
            "out_channels": "{classes}",
            "img_size": [32, 32],
            "feature_size": 4,
            "hidden_size": 24,
            "mlp_dim": 32,
            "num_heads": 4,
        },
        encoder_taps=("vit:0", "vit.blocks[5]"),
        decoder_taps=("decoder2",),
    ),
}


@pytest.mark.parametrize("config", MONAI.values(), ids=MONAI)
@pytest.mark.parametrize("form", ["joint", "separate"])
def test_monai_networks_are_built_tapped_and_trained(config: NetworkConfig, form: Any) -> None:
    network = build_network(config, channels=2, classes=3, size=32)
    encoder, decoder = taps(config)
    objective = SemanticStacking(
        nn.CrossEntropyLoss(), encoder=encoder, decoder=decoder, alpha_dec=0.2, forward_pass=form
    )
    image, synthetic = torch.rand(2, 2, 2, 32, 32)
    terms = objective.terms(network, image, synthetic, torch.randint(3, (2, 32, 32)))
    terms.total.backward()
    assert 0 < terms.encoder < 2 * len(encoder)
    assert 0 < terms.decoder < 2
    assert math.isfinite(terms.total.item())


def test_the_default_network_is_built_tapped_and_trained() -> None:
    config = NetworkConfig(pretrained=False)
    network = build_network(config, channels=3, classes=2, size=(64, 32))
    encoder, decoder = taps(config)
    objective = SemanticStacking(nn.CrossEntropyLoss(), encoder=encoder, decoder=decoder, alpha_dec=0.1)
    image, synthetic = torch.rand(2, 2, 3, 64, 32)
    objective(network, image, synthetic, torch.randint(2, (2, 64, 32))).backward()


def test_own_taps_take_the_place_of_the_built_in_ones() -> None:
    config = NetworkConfig(encoder_taps=("encoder.stages[-2]", "encoder.stages[-1]"))
    assert taps(config) == (("encoder.stages[-2]", "encoder.stages[-1]"), ("decoder.blocks.3",))


def test_a_configuration_survives_json() -> None:
    for config in (NetworkConfig(), *MONAI.values()):
        assert NetworkConfig.from_dict(config.to_dict()) == config


class Returns(nn.Module):
    """Returns logits of a shape of its own, or no tensor at all."""

    def __init__(self, classes: int = 2, scale: int = 1, as_dict: bool = False, fail: bool = False) -> None:
        super().__init__()
        if fail:
            raise RuntimeError("no such mode")
        self.classes, self.scale, self.as_dict = classes, scale, as_dict

    def forward(self, x: Tensor) -> Any:
        height, width = (side // self.scale for side in x.shape[2:])
        logits = torch.zeros(len(x), self.classes, height, width)
        return {"out": logits} if self.as_dict else logits


HERE = f"{__name__}.Returns"


def build(**arguments: Any) -> nn.Module:
    return build_network(NetworkConfig(HERE, arguments), channels=3, classes=2, size=32)


def test_placeholders_are_filled_at_any_depth(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    monkeypatch.setitem(globals(), "keep", lambda **arguments: seen.append(arguments) or nn.Identity())
    given = {"a": "{channels}", "b": [{"c": "{classes}"}, "{other}", "{}"]}
    build_network(NetworkConfig(f"{__name__}.keep", given), channels=3, classes=5)
    assert seen == [{"a": 3, "b": [{"c": 5}, "{other}", "{}"]}]


def test_refuses_a_name_that_is_none() -> None:
    with pytest.raises(
        NetworkError,
        match=r"no network named 'unet'. Expected one of efficientnet-lite0-unet, .*or an import",
    ):
        build_network(NetworkConfig("unet"), channels=3, classes=2)


def test_refuses_a_package_that_is_not_there() -> None:
    with pytest.raises(
        NetworkError, match=r"'nowhere.nets.UNet' cannot be imported: there is no module 'nowhere'"
    ):
        build_network(NetworkConfig("nowhere.nets.UNet"), channels=3, classes=2)


def test_refuses_a_class_that_is_not_there() -> None:
    with pytest.raises(NetworkError, match=r"'monai.networks.nets' has no 'UNnet'. Classes it has: .*UNet"):
        build_network(NetworkConfig("monai.networks.nets.UNnet"), channels=3, classes=2)


def test_refuses_what_cannot_be_called() -> None:
    with pytest.raises(NetworkError, match=r"'math.pi' is a float, expected a class or function"):
        build_network(NetworkConfig("math.pi"), channels=3, classes=2)


def test_refuses_what_is_no_network() -> None:
    with pytest.raises(NetworkError, match=r"fractions.Fraction made a Fraction, expected a torch.nn.Module"):
        build_network(NetworkConfig("fractions.Fraction"), channels=3, classes=2)


def test_refuses_arguments_that_the_constructor_does_not_take() -> None:
    with pytest.raises(
        NetworkError, match=r"does not take init_args .*unexpected keyword argument 'depth'.* scale"
    ):
        build(depth=3)


def test_refuses_arguments_that_the_constructor_stumbles_over() -> None:
    with pytest.raises(NetworkError, match=r"cannot be built with init_args .*RuntimeError: no such mode"):
        build(fail=True)


def test_refuses_too_few_classes() -> None:
    with pytest.raises(
        NetworkError, match=r"logits of shape \(2, 1, 32, 32\) .* expected \(2, 2, 32, 32\).*Give it 2"
    ):
        build(classes=1)


def test_refuses_logits_of_another_size() -> None:
    with pytest.raises(
        NetworkError, match=r"logits of shape \(2, 2, 16, 16\).* output as large as the input"
    ):
        build(scale=2)


def test_refuses_what_is_no_tensor() -> None:
    with pytest.raises(NetworkError, match="returned dict, expected one tensor of logits"):
        build(as_dict=True)


def test_refuses_images_that_the_network_does_not_take() -> None:
    config = NetworkConfig("torch.nn.Conv2d", {"in_channels": 1, "out_channels": 2, "kernel_size": 1})
    with pytest.raises(NetworkError, match=r"does not take images of shape \(2, 3, 32, 32\): RuntimeError"):
        build_network(config, channels=3, classes=2, size=32)


def test_refuses_a_tap_that_is_not_there() -> None:
    config = NetworkConfig(encoder_taps=("encoder.stage.4",), pretrained=False)
    with pytest.raises(
        TapError, match=r"no module 'encoder.stage.4'.* nearest names first: encoder.stages.4, "
    ):
        build_network(config, channels=3, classes=2)


def test_checking_leaves_statistics_and_mode_alone() -> None:
    network = build_network(NetworkConfig(pretrained=False), channels=3, classes=2, size=32)
    assert network.training
    assert not any(m._forward_hooks for m in network.modules())
    counts = [buffer for name, buffer in network.named_buffers() if name.endswith("num_batches_tracked")]
    assert sum(count.item() for count in counts) == 0
