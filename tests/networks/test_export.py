"""Every network by name as a program of torch.export, which needs none of our code to run."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import torch

from s2s2.networks import BUILT_IN, NetworkConfig, build_network
from tests.networks.dino.models import save_tiny
from tests.networks.tiny import TINY


@pytest.mark.parametrize("name", BUILT_IN)
def test_an_exported_network_predicts_as_before(name: str, tmp_path: Path) -> None:
    config = NetworkConfig(name, TINY[name], pretrained=False)
    if name == "dino-light":
        save_tiny("dinov2", tmp_path / "model")
        config = NetworkConfig(name, TINY[name], weights=str(tmp_path / "model"))
    torch.manual_seed(0)
    network = build_network(config, channels=3, classes=2).eval()
    network.to(memory_format=torch.contiguous_format)
    images, file = torch.rand(2, 3, 32, 64), io.BytesIO()
    torch.export.save(torch.export.export(network, (images,)), file)
    file.seek(0)
    found = torch.export.load(file).module()(images)
    assert found.shape == (2, 2, 32, 64)
    torch.testing.assert_close(found, network(images))
