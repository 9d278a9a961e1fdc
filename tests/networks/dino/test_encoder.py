"""The encoder: features of the model that was saved, and what stays frozen."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file

from s2s2.errors import NetworkError
from s2s2.networks.built_in import repeat_stem
from s2s2.networks.dino.encoder import SMALL, Encoder, architecture, model_folder
from tests.networks.dino.models import KINDS, save_tiny


def encoder_of(folder: Path, *, frozen: bool = True) -> Encoder:
    return Encoder(architecture(folder), frozen=frozen, folder=folder)


@pytest.mark.parametrize("kind", KINDS)
def test_features_are_those_of_the_model(tmp_path: Path, kind: str) -> None:
    model = save_tiny(kind, tmp_path)
    patch = model.config.patch_size
    images = torch.rand(2, 3, 2 * patch, 3 * patch)
    with torch.no_grad():
        found = encoder_of(tmp_path)(images)
        states = model(images, output_hidden_states=True).hidden_states
        normalise = model.norm if kind == "dinov3_vit" else model.layernorm
        assert len(found) == 4
        for number, each in zip((2, 4, 6, 8), found, strict=True):
            patches = normalise(states[number])[:, -6:]  # after the class token and the registers
            for row in range(2):
                for column in range(3):
                    torch.testing.assert_close(each[:, :, row, column], patches[:, 3 * row + column])


def test_images_are_interpolated_to_the_next_multiple_of_the_patch(tmp_path: Path) -> None:
    save_tiny("dinov2", tmp_path)
    encoder, images = encoder_of(tmp_path), torch.rand(1, 3, 64, 84)
    larger = F.interpolate(images, size=(70, 84), mode="bilinear", align_corners=False)
    for found, expected in zip(encoder(images), encoder(larger), strict=True):
        assert found.shape == (1, 24, 5, 6)
        assert torch.equal(found, expected)


@pytest.mark.parametrize("channels", [1, 4])
def test_other_channels_are_seen_as_by_a_repeated_stem(tmp_path: Path, channels: int) -> None:
    save_tiny("dinov3_vit", tmp_path)
    encoder, images = encoder_of(tmp_path), torch.rand(1, channels, 32, 32)
    stem = encoder.backbone.embeddings.patch_embeddings
    expected = F.conv2d(images, repeat_stem(stem.weight, channels), stem.bias, stride=16)
    grey = images.mean(1, keepdim=True).expand(-1, 3, -1, -1)
    torch.testing.assert_close(stem(grey), expected)
    assert all(map(torch.equal, encoder(images), encoder(grey)))


def test_a_frozen_encoder_never_changes_and_keeps_no_gradients(tmp_path: Path) -> None:
    save_tiny("dinov2", tmp_path)
    encoder, images = encoder_of(tmp_path).train(), torch.rand(1, 3, 28, 28)
    assert encoder.training
    assert not any(module.training for module in encoder.backbone.modules())
    assert all(map(torch.equal, encoder(images), encoder(images)))  # half of the paths would be dropped
    assert not any(each.requires_grad for each in (*encoder(images), *encoder.parameters()))


def test_an_encoder_that_is_not_frozen_learns(tmp_path: Path) -> None:
    save_tiny("dinov2", tmp_path)
    encoder, images = encoder_of(tmp_path, frozen=False).train(), torch.rand(1, 3, 28, 28)
    assert not all(map(torch.equal, encoder(images), encoder(images)))
    encoder.eval()
    assert all(map(torch.equal, encoder(images), encoder(images)))
    assert all(each.requires_grad for each in encoder(images))


def test_the_architecture_is_plain_and_enough(tmp_path: Path) -> None:
    save_tiny("dinov3_vit", tmp_path)
    settings = architecture(tmp_path)
    assert settings == json.loads(json.dumps(settings))
    assert not {"architectures", "auto_map", "dtype", "out_indices", "transformers_version"} & settings.keys()
    shapes = [
        {name: each.shape for name, each in encoder.state_dict().items()}
        for encoder in (encoder_of(tmp_path), Encoder(settings, frozen=True, folder=None))
    ]
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize("content", [{"model_type": "vit"}, {}, []])
def test_another_kind_of_model_is_refused(tmp_path: Path, content: Any) -> None:
    (tmp_path / "config.json").write_text(json.dumps(content))
    with pytest.raises(
        NetworkError, match=r"holds a model of type .*expected one of dinov2, dinov2_with_reg"
    ):
        architecture(tmp_path)


def test_what_is_no_folder_of_a_model_is_refused(tmp_path: Path) -> None:
    save_file({"a": torch.zeros(1)}, tmp_path / "model.safetensors")
    with pytest.raises(NetworkError, match=r"model\.safetensors is a file, expected the folder of a model"):
        model_folder(str(tmp_path / "model.safetensors"))
    with pytest.raises(NetworkError, match=r"There is no file .*config\.json"):
        architecture(tmp_path)


def test_weights_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    save_tiny("dinov2", tmp_path)
    path = tmp_path / "model.safetensors"
    tensors = load_file(path)
    del tensors["layernorm.weight"]
    save_file(tensors, path, metadata={"format": "pt"})
    with pytest.raises(NetworkError, match=r"lack 1 tensors .* layernorm\.weight"):
        encoder_of(tmp_path)
    path.rename(tmp_path / "pytorch_model.bin")
    with pytest.raises(NetworkError, match="cannot be loaded"):
        encoder_of(tmp_path)


def test_too_few_blocks_and_unknown_kinds_are_refused() -> None:
    with pytest.raises(NetworkError, match="has 3 blocks, expected at least 4"):
        Encoder({**SMALL, "num_hidden_layers": 3}, frozen=True, folder=None)
    with pytest.raises(NetworkError, match="of type 'swin', expected one of dinov2"):
        Encoder({"model_type": "swin"}, frozen=True, folder=None)


def test_without_transformers_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(NetworkError, match=r"pip install --upgrade 's2s2\[networks\]'"):
        Encoder(SMALL, frozen=True, folder=None)
