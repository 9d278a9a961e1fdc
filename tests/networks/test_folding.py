from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

import s2s2
from s2s2.data import Dataset
from s2s2.networks import EfficientNetUNet, default_normalisation
from s2s2.networks.folding import fold_batch_norm

DEMO = s2s2.__path__[0] + "/demo_data/hospitals/paris"


def settled(network: nn.Module, channels: int = 3) -> nn.Module:
    """Give every normalisation statistics and weights of its own, as a training does."""
    chance = torch.Generator().manual_seed(1)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d) and module.affine:
            nn.init.uniform_(module.weight, 0.5, 1.5, generator=chance)
            nn.init.normal_(module.bias, 0, 0.2, generator=chance)
    network.train()
    for _ in range(5):
        network(torch.randn(4, channels, 64, 64, generator=chance))
    return network.eval()


def normalisations(network: nn.Module) -> int:
    return sum(isinstance(module, nn.BatchNorm2d) for module in network.modules())


class Blocks(nn.Module):
    """Two convolutions, two normalisations; what is between them is up to a kind."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1, bias=False)
        self.one, self.two = nn.BatchNorm2d(4), nn.BatchNorm2d(4, affine=False)


class Chain(Blocks):
    def forward(self, images: Tensor) -> Tensor:
        return self.two(self.second(self.one(self.first(images)).relu()))


class Skip(Blocks):
    def forward(self, images: Tensor) -> Tensor:
        early = self.first(images)
        return self.two(self.second(self.one(early))) + early


class Between(Blocks):
    def forward(self, images: Tensor) -> Tensor:
        return self.two(self.second(self.one(self.first(images).relu_())))


class Twice(Blocks):
    def forward(self, images: Tensor) -> Tensor:
        early = self.one(self.first(images))
        return self.two(self.second(self.two(self.second(early))))


class Reads(Blocks):
    def forward(self, images: Tensor) -> Tensor:
        return self.two(self.second(self.one(self.first(images)))) * self.one.weight.sum()


class Large(Chain):
    def forward(self, images: Tensor) -> Tensor:
        if images.shape[-1] != 96:
            raise ValueError("a network of one size")
        return super().forward(images)


@pytest.mark.parametrize("kind", [Chain, Skip, Between, Twice, Reads])
def test_logits_stay_whatever_the_network_does(kind: type[Blocks]) -> None:
    network = settled(kind())
    before = copy.deepcopy(network.state_dict())
    images = torch.randn(2, 3, 40, 56)
    with torch.no_grad():
        torch.testing.assert_close(fold_batch_norm(network, 3)(images), network(images), rtol=1e-4, atol=1e-4)
    after = network.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert not network._forward_hooks
    assert normalisations(network) == 2


@pytest.mark.parametrize(("kind", "left"), [(Chain, 0), (Skip, 2), (Between, 2), (Twice, 1), (Reads, 2)])
def test_what_can_be_folded_is(kind: type[Blocks], left: int) -> None:
    assert normalisations(fold_batch_norm(settled(kind()), 3)) == left


def test_what_cannot_be_looked_into_stays_as_it_is() -> None:
    for network in (Large().eval(), nn.Conv2d(3, 2, 1).eval(), Chain().train()):
        assert fold_batch_norm(network, 3) is network
    assert normalisations(fold_batch_norm(nn.BatchNorm2d(3, track_running_stats=False).eval(), 3)) == 1


@pytest.mark.parametrize("size", [128, 352])
def test_no_label_of_a_pretrained_network_changes(size: int) -> None:
    torch.manual_seed(0)
    network = settled(EfficientNetUNet(channels=3, classes=3))
    folded = fold_batch_norm(network, 3)
    assert normalisations(folded) == 0
    dataset = Dataset.open(DEMO, size=size)
    canvas = torch.zeros(8, 3, size, size)
    for place, case in zip(canvas, dataset, strict=False):
        image = torch.from_numpy(dataset.image(case))
        place[:, : image.shape[1], : image.shape[2]] = image
    images = default_normalisation(3)(canvas)
    with torch.no_grad():
        labels = network(images).argmax(1)
        assert len(labels.unique()) > 1
        assert torch.equal(folded(images).argmax(1), labels)
