from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

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
)

POLYP = ClassMap.parse(["background=0", "polyp=255"])
SMALL = NetworkConfig(
    "monai.networks.nets.UNet",
    {
        "spatial_dims": 2,
        "in_channels": "{channels}",
        "out_channels": "{classes}",
        "channels": [4, 8],
        "strides": [2],
    },
    encoder_taps=("model.1",),
)


def card(network: NetworkConfig = SMALL) -> NetworkCard:
    return NetworkCard(
        network=network,
        channels=3,
        size=96,
        patch=None,
        class_map=POLYP,
        normalisation=default_normalisation(3),
        split={"train": ("a", "b"), "validation": ("c",)},
        arm="s2s2",
        seed=1,
        training={"steps": 10, "geometry": {"flip": True}},
    )


TRUSTED = (SMALL.name,)


@pytest.fixture
def saved(tmp_path: Path) -> tuple[Path, nn.Module]:
    torch.manual_seed(0)
    network = build_network(SMALL, channels=3, classes=2)
    save_network(tmp_path / "network", network, card())
    return tmp_path / "network", network


def test_what_is_loaded_is_what_was_saved(saved: tuple[Path, nn.Module]) -> None:
    folder, network = saved
    loaded, loaded_card = load_network(folder, trust=TRUSTED)
    images = torch.rand(2, 3, 16, 16)
    assert loaded_card == card()
    assert not loaded.training
    assert torch.equal(loaded(images), network.eval()(images))


def test_the_default_network_comes_back_in_its_own_memory_layout(tmp_path: Path) -> None:
    config = NetworkConfig(pretrained=False)
    network = build_network(config, channels=3, classes=2)
    save_network(tmp_path, network, card(config))
    loaded, _ = load_network(tmp_path, trust=TRUSTED)
    images = torch.rand(1, 3, 64, 64)
    assert torch.equal(loaded(images), network.eval()(images))
    assert loaded.encoder.stages[0][0].weight.is_contiguous(memory_format=torch.channels_last)  # type: ignore[index, union-attr]


def test_a_network_is_two_files_and_both_are_plain(saved: tuple[Path, nn.Module]) -> None:
    folder, _ = saved
    assert sorted(path.name for path in folder.iterdir()) == ["network.json", "weights.safetensors"]
    content = json.loads((folder / "network.json").read_text())
    assert content["format"] == 1
    assert content["split"] == {"train": ["a", "b"], "validation": ["c"]}
    assert content["software"]["torch"] == torch.__version__.split("+")[0] or content["software"]["torch"]


def test_saving_again_takes_the_place_of_the_old_one(saved: tuple[Path, nn.Module]) -> None:
    folder, network = saved
    for parameter in network.parameters():
        parameter.data.zero_()
    save_network(folder, network, replace(card(), seed=2))
    loaded, loaded_card = load_network(folder, trust=TRUSTED)
    assert loaded_card.seed == 2
    assert all(not parameter.any() for parameter in loaded.parameters())


def test_a_wrapped_network_is_saved_bare(tmp_path: Path) -> None:
    network = build_network(SMALL, channels=3, classes=2)
    save_network(tmp_path, nn.DataParallel(network), card())
    load_network(tmp_path, trust=TRUSTED)


def test_the_same_classes_may_be_asked_for(saved: tuple[Path, nn.Module]) -> None:
    load_network(saved[0], class_map=ClassMap.parse(["background=0", "polyp=1"]), trust=TRUSTED)
    with pytest.raises(
        NetworkError, match="knows the classes background, polyp, but the data have background, tool"
    ):
        load_network(saved[0], class_map=ClassMap.parse(["background=0", "tool=1"]), trust=TRUSTED)


def test_refuses_a_folder_without_a_network(tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match=r"There is no file .*network\.json"):
        load_network(tmp_path, trust=TRUSTED)


def test_refuses_missing_weights(saved: tuple[Path, nn.Module]) -> None:
    (saved[0] / "weights.safetensors").unlink()
    with pytest.raises(NetworkError, match=r"There is no file .*weights\.safetensors.*both of its files"):
        load_network(saved[0], trust=TRUSTED)


def test_refuses_corrupt_weights(saved: tuple[Path, nn.Module]) -> None:
    path = saved[0] / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(
        NetworkError, match=r"weights\.safetensors is not the file .* corrupt, or from another training"
    ):
        load_network(saved[0], trust=TRUSTED)


def test_refuses_a_card_that_lacks_a_field(saved: tuple[Path, nn.Module]) -> None:
    path = saved[0] / "network.json"
    content = json.loads(path.read_text())
    del content["channels"]
    path.write_text(json.dumps(content))
    with pytest.raises(NetworkError, match=r"network\.json: channels is missing"):
        load_network(saved[0], trust=TRUSTED)


def test_refuses_weights_of_another_network(saved: tuple[Path, nn.Module]) -> None:
    path = saved[0] / "network.json"
    content = json.loads(path.read_text())
    content["network"]["init_args"]["channels"] = [4, 12]
    path.write_text(json.dumps(content))
    with pytest.raises(
        NetworkError, match=r"do not fit the network monai.networks.nets.UNet that the card describes"
    ):
        load_network(saved[0], trust=TRUSTED)


def test_a_card_imports_only_what_is_trusted(saved: tuple[Path, nn.Module], tmp_path: Path) -> None:
    file = saved[0] / "network.json"
    content = json.loads(file.read_text())
    for name in ("antigravity.fly", "antigravity:fly"):
        file.write_text(json.dumps({**content, "network": {**content["network"], "name": name}}))
        with pytest.raises(
            NetworkError, match=rf"network\.json names the import path '{name}'.*--trust {name}"
        ):
            load_network(saved[0], trust=("antigravity.flew", "monai.networks.nets.UNet"))
    assert "antigravity" not in sys.modules


def test_what_is_trusted_must_be_a_network_before_it_is_called(saved: tuple[Path, nn.Module]) -> None:
    file = saved[0] / "network.json"
    content = json.loads(file.read_text())
    sprung = saved[0] / "sprung"
    named = {**content["network"], "name": "os.mkdir", "init_args": {"path": str(sprung)}}
    file.write_text(json.dumps({**content, "network": named}))
    with pytest.raises(NetworkError, match=r"'os\.mkdir' is .* expected a subclass of torch\.nn\.Module"):
        load_network(saved[0], trust=("os:mkdir",))
    assert not sprung.exists()


def test_the_network_that_was_trained_here_needs_no_trust(saved: tuple[Path, nn.Module]) -> None:
    load_network(saved[0], known=SMALL)
