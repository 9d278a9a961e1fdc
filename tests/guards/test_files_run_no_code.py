"""Nothing that a user opens can run code: no eval, no pickle, no weights that fit only in part."""

from __future__ import annotations

import ast
import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest
from torch import nn

import s2s2
from s2s2.data import ClassMap
from s2s2.errors import NetworkError
from s2s2.networks import NetworkCard, NetworkConfig, default_normalisation, load_network, save_network


def calls() -> Iterator[tuple[str, str, ast.Call]]:
    """All calls in the library: file, name of the function, the call."""
    root = Path(s2s2.__file__).parent
    for path in sorted(root.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                yield path.relative_to(root).as_posix(), ast.unparse(node.func), node


def test_no_call_turns_text_or_files_into_code() -> None:
    forbidden = {"eval", "exec", "pickle.load", "pickle.loads", "yaml.load", "yaml.unsafe_load"}
    found = {(file, name) for file, name, _ in calls() if name in forbidden}
    assert not found


def test_every_torch_file_is_loaded_as_weights_only() -> None:
    for file, name, call in calls():
        given = {word.arg: ast.unparse(word.value) for word in call.keywords}
        if name == "torch.load" or (name.endswith("trainer.fit") and "ckpt_path" in given):
            assert given.get("weights_only") == "True", file


def test_no_weights_are_loaded_in_part() -> None:
    for file, name, call in calls():
        if name.endswith(("load_state_dict", "load_model")):
            assert "False" not in {
                ast.unparse(word.value) for word in call.keywords if word.arg == "strict"
            }, file


class Trap:
    """Creates a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.path,)


def test_a_pickle_in_the_place_of_weights_is_not_opened(tmp_path: Path) -> None:
    config = NetworkConfig("torch.nn.Conv2d", {"in_channels": 3, "out_channels": 2, "kernel_size": 1})
    polyp = ClassMap.parse(["background=0", "polyp=255"])
    card = NetworkCard(config, 3, 64, None, polyp, default_normalisation(3), {"train": ("a",)}, "s2s2", 0)
    save_network(tmp_path, nn.Conv2d(3, 2, 1), card)
    sprung = tmp_path / "sprung"
    (tmp_path / "weights.safetensors").write_bytes(pickle.dumps(Trap(sprung)))
    with pytest.raises(NetworkError, match="is not the file that the card beside it describes"):
        load_network(tmp_path, trust=(config.name,))
    assert not sprung.exists()
