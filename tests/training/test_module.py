from __future__ import annotations

import math

import torch
from torch import nn

from s2s2.objective import Terms
from s2s2.training import TrainConfig
from s2s2.training.module import StackingModule, case_dice


def test_dice_of_each_case_and_class_against_a_hand_table() -> None:
    mask = torch.tensor([[[0, 1, 1, 2]], [[0, 0, 0, 0]]])
    prediction = torch.tensor([[[0, 1, 2, 2]], [[0, 0, 0, 1]]])
    table = case_dice(prediction, mask, 3)
    assert torch.allclose(table[0], torch.tensor([2 / 3, 2 / 3]))
    assert table[1, 0].item() == 0
    assert math.isnan(table[1, 1].item())


class Noting:
    """An objective that keeps what it is called with."""

    def terms(self, *given: object, collapse: bool) -> Terms:
        self.given, self.collapse = given, collapse
        return Terms(*torch.zeros(6))


def test_what_is_ignored_reaches_the_objective() -> None:
    batch = {
        "image": torch.rand(1, 3, 4, 4),
        "synthetic": torch.rand(1, 3, 4, 4),
        "mask": torch.zeros(1, 4, 4, dtype=torch.long),
        "ignore": torch.ones(1, 4, 4, dtype=torch.bool),
    }
    objective = Noting()
    config = TrainConfig(steps=4, validations=2)
    module = StackingModule(nn.Conv2d(3, 2, 1), objective, nn.Identity(), config)  # type: ignore[arg-type]
    module.training_step(batch, 0)
    assert objective.given[4] is batch["ignore"]
    assert not objective.collapse
    module.training_step(batch, 1)  # the last of an interval
    assert objective.collapse
    del batch["ignore"]
    module.training_step(batch, 0)
    assert objective.given[4] is None
