from __future__ import annotations

import pytest
import torch

from s2s2.training.loss import DiceCrossEntropy


def test_against_a_naive_sum() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 3, 4, 5, generator=generator)
    mask = torch.randint(3, (2, 4, 5), generator=generator)
    chance = logits.softmax(1)
    entropy = 0.0
    for image in range(2):
        for row in range(4):
            for column in range(5):
                entropy -= float(chance[image, mask[image, row, column], row, column].log()) / 40
    dice = 0.0
    for label in (1, 2):
        true = (mask == label).float()
        both = float((chance[:, label] * true).sum())
        dice += (1 - (2 * both + 1e-5) / float(chance[:, label].sum() + true.sum() + 1e-5)) / 2
    assert float(DiceCrossEntropy()(logits, mask)) == pytest.approx(entropy + dice, rel=1e-5)
    assert float(DiceCrossEntropy(0.5, 2.0)(logits, mask)) == pytest.approx(2 * entropy + dice / 2, rel=1e-5)
