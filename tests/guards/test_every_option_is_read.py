"""There is one objective, and no option of it or of any configuration is dead."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import s2s2
from s2s2.objective import ConsistencyLoss, SemanticStacking

ROOT = Path(s2s2.__file__).parent
TREES = {
    path.relative_to(ROOT).as_posix(): ast.parse(path.read_text()) for path in sorted(ROOT.rglob("*.py"))
}


def configurations() -> list[tuple[str, str]]:
    """(class, field) of every dataclass that is named a configuration."""
    return [
        (node.name, line.target.id)
        for tree in TREES.values()
        for node in tree.body
        if isinstance(node, ast.ClassDef) and node.name.endswith("Config")
        for line in node.body
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name)
    ]


def test_every_field_of_every_configuration_is_read() -> None:
    read = {
        node.attr for tree in TREES.values() for node in ast.walk(tree) if isinstance(node, ast.Attribute)
    }
    # Fields that are all ranges of one kind may be walked by `fields()`; their names then stand in a text.
    named = {
        node.value for tree in TREES.values() for node in ast.walk(tree) if isinstance(node, ast.Constant)
    }
    assert configurations()
    assert [pair for pair in configurations() if pair[1] not in read | named] == []


def test_there_is_one_objective() -> None:
    modules = [
        f"{file}:{node.name}"
        for file, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and any("nn.Module" in ast.unparse(base) for base in node.bases)
        if file.startswith(("objective/", "training/"))
    ]
    assert modules == [
        # What the one objective is composed of.
        "objective/consistency.py:ConsistencyLoss",
        "objective/saliency_balancing.py:SaliencyBalancing",
        "objective/semantic_stacking.py:SemanticStacking",
        # The segmentation loss that the trainings hand to the objective.
        "training/loss.py:DiceCrossEntropy",
    ]


class WithBatchStatistics(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU())
        self.decoder = nn.Conv2d(6, 4, 3, padding=1)
        self.head = nn.Conv2d(4, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.decoder(self.encoder(x)))  # type: ignore[no-any-return]


BASE: dict[str, Any] = {"encoder": ["encoder"], "decoder": ["decoder"], "alpha_enc": 0.4, "alpha_dec": 0.2}


@pytest.mark.parametrize(
    "option",
    [
        {"encoder": ["encoder.0"]},
        {"decoder": ["head"]},
        {"alpha_enc": 0.5},
        {"alpha_dec": 0.3},
        {"w_syn": 0.5},
        {"consistency": ConsistencyLoss("angular")},
        {"consistency": ConsistencyLoss("l1")},
        {"consistency": ConsistencyLoss("l2")},
        {"consistency": ConsistencyLoss(channel_dim=2)},
        {"consistency": ConsistencyLoss(weighting="class")},
        {"forward_pass": "separate"},
        {"logits": lambda output: 2 * output},
    ],
    # Without addresses, which differ between the processes of pytest-xdist.
    ids=lambda option: next(iter(option)),
)
def test_every_option_of_the_objective_changes_the_loss(option: dict[str, Any]) -> None:
    torch.manual_seed(0)
    network = WithBatchStatistics()
    image, synthetic = torch.rand(2, 4, 3, 8, 8)
    mask = (torch.rand(4, 8, 8) > 0.8).long()
    losses = [
        SemanticStacking(nn.CrossEntropyLoss(), **options)(network, image, 0.5 * synthetic, mask).item()
        for options in (BASE, BASE | option)
    ]
    assert losses[0] != pytest.approx(losses[1], abs=1e-5)
