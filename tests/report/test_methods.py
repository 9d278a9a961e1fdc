"""The paragraph on the methods says what the settings say."""

from __future__ import annotations

from pathlib import Path

import pytest

from s2s2.networks import NetworkConfig
from s2s2.report.methods import methods
from tests.report.fake import FakeRun, Runs


@pytest.fixture
def fake(tmp_path: Path, run_of: Runs) -> FakeRun:
    return run_of().copied(tmp_path)


def test_the_defaults_are_said(fake: FakeRun) -> None:
    text = " ".join(methods(fake.configure(network=NetworkConfig()).results))
    assert "The network efficientnet-lite0-unet (Tan and Le, ICML 2019" in text
    assert "which started from pretrained weights (ImageNet, encoder), was trained on" in text
    assert "with the sum of Dice loss and cross-entropy and AdamW under a cosine schedule (peak" in text


def test_other_networks_losses_and_optimisers_are_said(fake: FakeRun) -> None:
    changes = {"dice": 0.5, "cross_entropy": 2.0, "optimiser": "sgd", "schedule": "plateau"}
    fake.configure(network=NetworkConfig("transunet", pretrained=False), **changes)
    text = " ".join(methods(fake.results))
    assert "The network transunet (Chen et al., 2021, arXiv:2102.04306), which started from random" in text
    assert "with the loss 0.5 × Dice + 2 × cross-entropy and gradient descent with momentum 0.9 at a" in text
    assert "rate that was halved where the validation Dice no longer rose (peak learning rate" in text
    assert "AdamW" not in text
