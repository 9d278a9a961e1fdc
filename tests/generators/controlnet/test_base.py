"""The parts of a base model load whole or not at all."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from s2s2.errors import GeneratorError
from s2s2.generators.controlnet.base import Base, load_base, load_controlnet, new_controlnet
from s2s2.generators.controlnet.layout import find_base
from tests.generators.controlnet.conftest import VERSIONS


@pytest.fixture
def folder(folders: dict[str, Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(folders["2.1"], tmp_path / "sd"))


@pytest.mark.parametrize("version", VERSIONS)
def test_nothing_of_a_base_model_learns(bases: dict[str, Base], version: str) -> None:
    base = bases[version]
    assert not any(p.requires_grad for network in base.networks() for p in network.parameters())
    assert (base.factor, base.multiple) == (4, 8)
    assert base.dtype == torch.float32


def test_each_base_says_what_it_predicts(bases: dict[str, Base]) -> None:
    assert [base.schedule["prediction_type"] for base in bases.values()] == ["epsilon", "v_prediction"]


def test_corrupt_weights_are_named(folder: Path) -> None:
    path = folder / "vae" / "diffusion_pytorch_model.safetensors"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(GeneratorError, match="vae cannot be loaded"):
        load_base(find_base(str(folder)))


@pytest.mark.parametrize("part", ["unet", "text_encoder"])
def test_weights_that_lack_tensors_are_refused(folder: Path, part: str) -> None:
    path = next((folder / part).glob("*.safetensors"))
    tensors = load_file(path)
    tensors.pop(sorted(tensors)[0])
    save_file(tensors, path, {"format": "pt"})
    with pytest.raises(GeneratorError, match="lack 1 tensors that its configuration asks for"):
        load_base(find_base(str(folder)))


def test_another_kind_of_prediction_is_refused(folder: Path) -> None:
    path = folder / "scheduler" / "scheduler_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "prediction_type": "sample"}))
    with pytest.raises(GeneratorError, match="predicts 'sample', expected epsilon or v_prediction"):
        load_base(find_base(str(folder)))


def test_a_prompt_is_encoded_once(bases: dict[str, Base], monkeypatch: pytest.MonkeyPatch) -> None:
    base = bases["1.5"]
    calls = []
    encoder = base.text_encoder
    monkeypatch.setattr(encoder, "forward", lambda *a, f=encoder.forward, **k: calls.append(1) or f(*a, **k))
    first = base.texts(["a polyp seen once", "", "a polyp seen once"])
    assert first.shape == (3, 77, 16)
    assert torch.equal(first[0], first[2])
    assert not torch.equal(first[0], first[1])
    seen = len(calls)
    assert torch.equal(base.texts(["a polyp seen once"])[0], first[0])
    assert len(calls) == seen


def test_a_new_controlnet_changes_nothing_and_follows_from_its_seed(bases: dict[str, Base]) -> None:
    base = bases["2.1"]
    torch.manual_seed(1)
    before = torch.rand(1)
    torch.manual_seed(1)
    first, second, other = (new_controlnet(base, seed) for seed in (0, 0, 1))
    assert torch.equal(torch.rand(1), before)  # the global generator was left alone
    states = [network.state_dict() for network in (first, second, other)]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    assert any(not torch.equal(states[0][name], states[2][name]) for name in states[0])
    unet = base.unet.state_dict()
    assert torch.equal(
        states[0]["down_blocks.0.resnets.0.conv1.weight"], unet["down_blocks.0.resnets.0.conv1.weight"]
    )
    down, middle = first(
        torch.randn(1, 4, 8, 8),
        torch.tensor(3),
        encoder_hidden_states=torch.randn(1, 77, 16),
        controlnet_cond=torch.rand(1, 3, 32, 32),
        return_dict=False,
    )
    assert not any(part.any() for part in (*down, middle))


def test_a_controlnet_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(GeneratorError, match="cannot be loaded"):
        load_controlnet(tmp_path)


def test_latents_are_scaled_and_come_back(bases: dict[str, Base]) -> None:
    base = bases["1.5"]
    images = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    moments = base.encode(images)
    posterior = base.vae.encode(images).latent_dist
    latents = base.draw_latents(moments, torch.ones(2, 4, 8, 8))
    expected = (posterior.mean + posterior.std) * base.vae.config.scaling_factor
    assert torch.allclose(latents, expected, atol=1e-6)
    decoded = base.decode(latents)
    assert torch.allclose(decoded, base.vae.decode(posterior.mean + posterior.std).sample, atol=1e-5)
