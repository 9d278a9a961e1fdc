"""Pretrained weights: read without running code, loaded exactly or refused with what differs."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from s2s2.errors import NetworkError
from s2s2.networks import NetworkConfig, build_network
from s2s2.networks.weights import find_weights, load_exactly, network_inputs, read_tensors, weights_digest


def test_both_formats_are_read(tmp_path: Path) -> None:
    tensors = {"a": torch.arange(3.0), "b": torch.ones(2, 2, dtype=torch.float16)}
    save_file(tensors, tmp_path / "model.safetensors")
    np.savez(tmp_path / "model.npz", a=tensors["a"].numpy(), b=tensors["b"].numpy())
    for name in ("model.safetensors", "model.npz"):
        found = read_tensors(find_weights(str(tmp_path / name)))
        assert found.keys() == {"a", "b"}
        assert all(torch.equal(found[key], tensors[key].float()) for key in found)


def test_a_pickle_is_never_opened(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (Path(tmp_path / "opened"),)  # type: ignore[return-value]

    (tmp_path / "model.pth").write_bytes(pickle.dumps(Trap()))
    np.savez(tmp_path / "model.npz", a=np.array([Trap()], dtype=object))
    with pytest.raises(NetworkError, match=r"model\.pth is pickled"):
        find_weights(str(tmp_path / "model.pth"))
    with pytest.raises(NetworkError, match=r"model\.npz cannot be read"):
        read_tensors(tmp_path / "model.npz")
    assert not (tmp_path / "opened").exists()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"weight": torch.zeros(2, 4)}, r"other shapes weight \(2, 4\) for \(2, 3\)"),
        ({"bias": None}, "it lacks bias"),
        ({"scale": torch.zeros(1)}, "it has as well scale"),
    ],
)
def test_weights_that_differ_are_refused_by_name(change: dict[str, torch.Tensor | None], says: str) -> None:
    network = nn.Linear(3, 2)
    before = {name: each.clone() for name, each in network.state_dict().items()}
    changed: dict[str, torch.Tensor | None] = {"weight": torch.ones(2, 3), "bias": torch.ones(2)} | change
    with pytest.raises(NetworkError, match=says):
        load_exactly(network, {name: each for name, each in changed.items() if each is not None}, "file")
    assert all(torch.equal(each, before[name]) for name, each in network.state_dict().items())


def test_the_digest_follows_the_content(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_file({"a": torch.zeros(3)}, path)
    first = weights_digest(str(path))
    assert weights_digest(str(tmp_path)) == first
    save_file({"a": torch.ones(3)}, path)
    assert weights_digest(str(path)) != first
    inputs = network_inputs(NetworkConfig("fcbformer", weights=str(path)))
    assert inputs["weights"] == weights_digest(str(path))


def test_what_is_no_file_of_weights_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.h5").write_bytes(b"")
    with pytest.raises(NetworkError, match=r"expected one that ends in \.safetensors or \.npz"):
        find_weights(str(tmp_path / "model.h5"))
    with pytest.raises(NetworkError, match="holds no weights"):
        read_tensors(tmp_path)
    with pytest.raises(NetworkError, match="There is no folder nowhere, expected a file or folder"):
        find_weights("nowhere")


def test_weights_go_with_networks_that_take_them() -> None:
    with pytest.raises(NetworkError, match="Leave one of them out"):
        NetworkConfig(weights="folder", pretrained=False)
    for name in ("efficientnet-lite0-unet", "monai.networks.nets.UNet"):
        with pytest.raises(NetworkError, match=r"takes no --network\.weights"):
            build_network(NetworkConfig(name, weights="folder"), channels=3, classes=2)
