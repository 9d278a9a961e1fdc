"""Life of a network: built, rehearsed, tapped and trained in both forms, saved, loaded, predicted with."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn

from s2s2.arms import get_arm
from s2s2.data import ClassMap
from s2s2.networks import (
    NetworkCard,
    NetworkConfig,
    build_network,
    default_normalisation,
    infer_logits,
    load_network,
    save_network,
    taps,
)
from s2s2.networks.build import completed
from s2s2.networks.folding import fold_batch_norm
from s2s2.objective import SemanticStacking
from s2s2.training import TrainConfig
from s2s2.training.rehearsal import rehearse

SIDE = 64
CLASSES = ClassMap.parse(["background=0", "organ=1", "vessel=2"])


def live_through(config: NetworkConfig, folder: Path, *, channels: int) -> nn.Module:
    """Return the trained network."""
    config = completed(config)
    rehearse(
        config,
        TrainConfig(alpha_dec=0.1),
        get_arm("s2s2"),
        channels=channels,
        classes=len(CLASSES),
        side=SIDE,
    )
    torch.manual_seed(0)
    network = build_network(config, channels=channels, classes=len(CLASSES), size=SIDE)
    for form in ("joint", "separate"):
        learn(network, config, form, channels=channels)
    save_network(folder, network, card(config, channels))
    loaded, _ = load_network(folder)
    images = torch.rand(1, channels, SIDE, SIDE + 32)
    with torch.no_grad():
        expected = network.eval()(images)
        assert expected.shape == (1, len(CLASSES), SIDE, SIDE + 32)
        assert torch.equal(loaded(images), expected)
        folded = fold_batch_norm(loaded, channels)
        torch.testing.assert_close(folded(images), expected, rtol=1e-3, atol=1e-4)
        assert infer_logits(loaded, images, 32).shape == expected.shape
    assert list(fold_batch_norm(loaded, channels).modules()) != list(loaded.modules())
    return network


def learn(
    network: nn.Module, config: NetworkConfig, form: Literal["joint", "separate"], *, channels: int
) -> None:
    """Take a step in training mode, with a gradient for all that is trained."""
    encoder, decoder = taps(config)
    objective = SemanticStacking(
        nn.CrossEntropyLoss(),
        encoder=encoder,
        decoder=decoder,
        alpha_enc=1.0,
        alpha_dec=1.0,
        forward_pass=form,
    )
    image, synthetic = torch.rand(2, 1, channels, SIDE, SIDE)
    terms: Any = objective.terms(network.train(), image, synthetic, torch.randint(3, (1, SIDE, SIDE)))
    terms.total.backward()
    objective.close()
    assert 0 < terms.encoder < 2
    assert 0 < terms.decoder < 2
    trained = {name: each for name, each in network.named_parameters() if each.requires_grad}
    assert trained
    assert [name for name, each in trained.items() if each.grad is None] == []
    with torch.no_grad():
        for parameter in trained.values():
            parameter -= 0.01 * parameter.grad  # type: ignore[operator]
            parameter.grad = None


def card(config: NetworkConfig, channels: int) -> NetworkCard:
    """Return what is stored beside the weights."""
    return NetworkCard(
        network=config,
        channels=channels,
        size=SIDE,
        patch=None,
        class_map=CLASSES,
        normalisation=default_normalisation(channels),
        split={"train": ("a",), "validation": ("b",)},
        arm="s2s2",
        seed=0,
    )
