"""What an objective says about a network before a step."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from s2s2.errors import TapError
from s2s2.objective import SemanticStacking, Tap
from tests.objective.taps.test_axes import Swin
from tests.objective.taps.test_taps import Applied, Checkpointed, Transformer

CE = nn.CrossEntropyLoss()
IMAGE = torch.rand(2, 3, 8, 8)


def small() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.Dropout(), nn.Conv2d(8, 2, 1))


def test_every_feature_is_a_row() -> None:
    objective = SemanticStacking(
        CE, encoder=["0", Tap("1", weight=0.5)], decoder=["2"], alpha_enc=0.4, alpha_dec=0
    )
    found = objective.describe(small(), IMAGE)
    assert [(row.side, row.name, row.weight) for row in found.rows] == [
        ("encoder", "0", 0.4), ("encoder", "1", 0.2), ("decoder", "2", 0.0)
    ]  # fmt: skip
    assert all(row.shape == (2, 8, 8, 8) and row.channel_dim == 1 and row.gradient for row in found.rows)
    assert found.faults == ()
    assert str(found).splitlines()[1] == (
        "encoder  0    (2, 8, 8, 8)  axis 1 (8)  yes       0.4     the output"
    )
    assert repr(found) == str(found)


def test_a_container_says_what_is_taken() -> None:
    network = Transformer()
    rows = SemanticStacking(CE, encoder=["transformer"]).describe(network, IMAGE).rows
    assert [row.name for row in rows] == [
        "transformer:0", "transformer:2:0", "transformer:2:1", "transformer:2:2"
    ]  # fmt: skip
    assert rows[0].taken == "item 1 of 4, all are compared; item=... takes one"
    assert rows[0].channel_dim == 2  # tokens
    (row,) = SemanticStacking(CE, encoder=[Tap("transformer", item=0)]).describe(network, IMAGE).rows
    assert row.taken == "one item"


def test_faults_are_told_instead_of_raised() -> None:
    network = Applied()
    found = SemanticStacking(CE, encoder=["block", "stem"]).describe(network, IMAGE)
    assert len(found.faults) == 1
    assert "ran 3 times in one pass" in found.faults[0]
    assert found.rows[0].shape is None
    assert str(found).splitlines()[-1].startswith("! The tapped module 'block' ran 3 times")
    (row,) = SemanticStacking(CE, encoder=["encoder.0"]).describe(Checkpointed(True), IMAGE).rows
    assert not row.gradient
    assert row.fault is not None
    assert "use_reentrant=False" in row.fault
    (row,) = SemanticStacking(CE, encoder=["act"]).describe(Swin(), IMAGE).rows
    assert row.channel_dim is None
    assert row.fault is not None
    assert "Tap 'act': Features of shape (2, 4, 4, 12)" in row.fault
    with pytest.raises(TapError, match="has no module 'nothing'"):
        SemanticStacking(CE, encoder=["nothing"]).describe(small(), IMAGE)


def test_describing_changes_nothing() -> None:
    network = small()
    objective = SemanticStacking(CE, encoder=["0"])
    mask = torch.randint(2, (2, 8, 8))
    before = [value.clone() for value in network.state_dict().values()]
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    with torch.no_grad():
        assert objective.describe(network, IMAGE).rows[0].gradient
    assert torch.equal(torch.rand(1), expected)
    assert all(map(torch.equal, before, network.state_dict().values()))
    assert all(parameter.grad is None for parameter in network.parameters())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in network.modules())
    objective(network, IMAGE, IMAGE, mask).backward()
    objective.describe(network, IMAGE)
    assert objective(network, IMAGE, IMAGE, mask).isfinite()


def test_a_wrapped_network_is_described_by_what_is_inside() -> None:
    class Never(nn.DataParallel[nn.Module]):
        def forward(self, *inputs: Tensor, **others: Tensor) -> Tensor:
            raise AssertionError("a wrapper's own bookkeeping must not run")

    (row,) = SemanticStacking(CE, encoder=["0"]).describe(Never(small()), IMAGE).rows
    assert row.gradient
