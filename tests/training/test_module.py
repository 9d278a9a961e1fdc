from __future__ import annotations

import math

import torch

from s2s2.training.module import case_dice


def test_dice_of_each_case_and_class_against_a_hand_table() -> None:
    mask = torch.tensor([[[0, 1, 1, 2]], [[0, 0, 0, 0]]])
    prediction = torch.tensor([[[0, 1, 2, 2]], [[0, 0, 0, 1]]])
    table = case_dice(prediction, mask, 3)
    assert torch.allclose(table[0], torch.tensor([2 / 3, 2 / 3]))
    assert table[1, 0].item() == 0
    assert math.isnan(table[1, 1].item())
