"""The weights of FCBFormer's backbone: models in the layout of transformers, of the right kind and size."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from s2s2.core.pretrained import silenced
from s2s2.errors import NetworkError
from s2s2.networks import NetworkConfig, build_network, network_inputs
from s2s2.networks.fcbformer.backbone import build_backbone
from s2s2.networks.fcbformer.network import FCBFormer
from tests.networks.fcbformer.naive import TINY

KINDS = ["PvtV2ForImageClassification", "PvtV2Model", "PvtV2Backbone"]


def save(folder: Path, kind: str = KINDS[0], **changes: Any) -> Path:
    """Save a model of random weights, as transformers does."""
    torch.manual_seed(0)
    settings = {"hidden_sizes": TINY["widths"], "depths": TINY["depths"], "num_labels": 5}
    config = transformers.PvtV2Config(**{**settings, **changes})
    with silenced(transformers):
        getattr(transformers, kind)(config).save_pretrained(folder)
    return folder


@pytest.mark.parametrize("kind", KINDS)
def test_it_starts_from_the_weights(tmp_path: Path, kind: str) -> None:
    saved = load_file(save(tmp_path, kind) / "model.safetensors")
    assert any(name.startswith("pvt_v2.") for name in saved) == (kind == KINDS[0])
    torch.manual_seed(1)
    network = FCBFormer(3, 2, str(tmp_path), **TINY)
    found = network.transformer_branch.backbone.state_dict()
    expected = {
        name.removeprefix("pvt_v2."): each for name, each in saved.items() if "classifier" not in name
    }
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], each) for name, each in expected.items())
    assert all(module.training for module in network.modules())


def test_the_stages_are_those_that_transformers_gives(tmp_path: Path) -> None:
    save(tmp_path, drop_path_rate=0.3)
    model = transformers.PvtV2Model.from_pretrained(save(tmp_path / "model", "PvtV2Model")).eval()
    backbone = build_backbone(3, **TINY, weights=str(tmp_path))
    images = torch.rand(1, 3, 64, 32)
    with torch.no_grad():
        expected = model(images, output_hidden_states=True).hidden_states
        found = backbone(images).feature_maps  # in training mode: no path is dropped
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("channels", [1, 2, 6])
def test_any_number_of_equal_channels_is_a_grey_image(tmp_path: Path, channels: int) -> None:
    weights = str(save(tmp_path))
    grey = torch.rand(1, 1, 32, 32)
    rgb, other = (build_backbone(number, **TINY, weights=weights).eval() for number in (3, channels))
    with torch.no_grad():
        expected = rgb(grey.expand(-1, 3, -1, -1)).feature_maps
        found = other(grey.expand(-1, channels, -1, -1)).feature_maps
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4)


def test_it_is_built_by_name_with_weights_and_without(tmp_path: Path) -> None:
    config = NetworkConfig("fcbformer", TINY, weights=str(save(tmp_path)))
    network = build_network(config, channels=3, classes=2, size=32)
    saved = load_file(tmp_path / "model.safetensors")
    name = "encoder.layers.0.patch_embedding.proj.weight"
    assert torch.equal(network.get_parameter(f"transformer_branch.backbone.{name}"), saved[f"pvt_v2.{name}"])
    assert network_inputs(config)["weights"] not in (None, str(tmp_path))
    with pytest.raises(NetworkError, match=r"OpenGVLab/pvt_v2_b3; licence Apache-2\.0\), and none are given"):
        build_network(NetworkConfig("fcbformer", TINY), channels=3, classes=2)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"depths": [1, 2, 1, 1]}, r"depths \[1, 2, 1, 1\] for \[1, 1, 1, 1\]\. Give a PVTv2-b3"),
        ({"hidden_sizes": [32, 64, 160, 64]}, r"hidden_sizes \[32, 64, 160, 64\] for \[32, 32, 160, 64\]"),
        ({"linear_attention": True}, "linear_attention True for False"),
        ({"num_channels": 1}, "num_channels 1 for 3"),
    ],
)
def test_a_model_of_another_size_is_refused(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(NetworkError, match=says):
        build_backbone(3, **TINY, weights=str(save(tmp_path, **changes)))


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    weights = str(save(tmp_path))
    whole = load_file(tmp_path / "model.safetensors")
    with pytest.raises(NetworkError, match=r"is one file, expected a folder with config\.json"):
        build_backbone(3, **TINY, weights=str(tmp_path / "model.safetensors"))

    lacking = "pvt_v2.encoder.layers.3.layer_norm.bias"
    save_file({name: each for name, each in whole.items() if name != lacking}, tmp_path / "model.safetensors")
    with pytest.raises(NetworkError, match=r"lack 1 tensors .* encoder\.layers\.3\.layer_norm\.bias"):
        build_backbone(3, **TINY, weights=weights)

    torch.save(whole, tmp_path / "pytorch_model.bin")
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(NetworkError, match="cannot be loaded"):
        build_backbone(3, **TINY, weights=weights)

    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, "model_type": "vit"}))
    with pytest.raises(NetworkError, match=r"of type 'vit', expected 'pvt_v2'.*OpenGVLab/pvt_v2_b3"):
        build_backbone(3, **TINY, weights=weights)

    (tmp_path / "config.json").unlink()
    with pytest.raises(NetworkError, match=r"There is no file .*config\.json"):
        build_backbone(3, **TINY, weights=weights)


def test_without_transformers_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(NetworkError, match=r"pip install 's2s2\[networks\]'"):
        build_backbone(3, **TINY, weights=None)
