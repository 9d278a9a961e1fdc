"""One process of a gloo group: what a data-parallel wrapper does to taps and gradients."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from s2s2.objective import SaliencyBalancing, SemanticStacking


@pytest.fixture
def group(tmp_path: Path) -> Iterator[None]:
    dist.init_process_group("gloo", init_method=f"file://{tmp_path / 'meet'}", rank=0, world_size=1)
    yield
    dist.destroy_process_group()


@pytest.mark.usefixtures("group")
@pytest.mark.parametrize("form", ["joint", "separate"])
@pytest.mark.parametrize("find_unused", [False, True])
@pytest.mark.parametrize("balanced", [False, True])
def test_gradients_are_those_of_the_bare_network(form: str, find_unused: bool, balanced: bool) -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 2, 1))
    image, local, synthetic = torch.rand(3, 4, 3, 8, 8)
    mask = torch.randint(2, (4, 8, 8))
    gradients = []
    for wrapped in (network, DistributedDataParallel(network, find_unused_parameters=find_unused)):
        objective = SemanticStacking(
            nn.CrossEntropyLoss(),
            encoder=["0"],
            decoder=["2"],
            alpha_dec=0.5,
            forward_pass=form,  # type: ignore[arg-type]
        )
        network.zero_grad()
        for _ in range(2):
            if balanced:
                SaliencyBalancing(objective, 2)(wrapped, image, local, synthetic, mask).backward()
            else:
                objective(wrapped, image, synthetic, mask).backward()
        gradients.append([p.grad.clone() for p in network.parameters() if p.grad is not None])
        objective.close()
    torch.testing.assert_close(gradients[0], gradients[1])
