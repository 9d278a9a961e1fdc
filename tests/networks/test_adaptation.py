"""Statistics of batch normalisation from images at hand, against loops over single values."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from s2s2.errors import NetworkError
from s2s2.networks.adaptation import adapt_batch_norm


class Deep(nn.Module):
    """Two convolutions with a normalisation behind each, of statistics that no image here has."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.second = nn.Conv2d(2, 3, 3, padding=1), nn.Conv2d(3, 4, 3, padding=1)
        self.one, self.two = nn.BatchNorm2d(3), nn.BatchNorm2d(4)
        self.dropout = nn.Dropout(0.5)
        for layer in (self.one, self.two):
            layer.running_mean.fill_(7.0)
            layer.running_var.fill_(0.01)
        self.eval()

    def forward(self, images: Tensor) -> Tensor:
        return self.dropout(self.two(self.second(self.one(self.first(images)).relu())))


def drawn(*sizes: int) -> list[Tensor]:
    chance = torch.Generator().manual_seed(1)
    return [torch.randn(size, 2, 8, 12, generator=chance) * (1 + size) for size in sizes]


def naive(values: list[Tensor]) -> tuple[list[float], list[float]]:
    """Return mean and variance of each channel by loops over all values of all batches."""
    means, variances = [], []
    for channel in range(values[0].shape[1]):
        pixels = [pixel for batch in values for pixel in batch[:, channel].flatten().tolist()]
        mean = math.fsum(pixels) / len(pixels)
        means.append(mean)
        variances.append(math.fsum((pixel - mean) ** 2 for pixel in pixels) / len(pixels))
    return means, variances


def test_the_statistics_are_those_of_all_values_of_all_batches() -> None:
    network, batches = Deep(), drawn(3, 1, 2)
    with torch.no_grad():
        first = [network.first(images) for images in batches]
        # Each batch goes on normalised by itself: what the training knew has no part in it.
        second = [network.second(functional.batch_norm(x, None, None, training=True).relu()) for x in first]
    adapt_batch_norm(network, batches, None)
    for layer, values in ((network.one, first), (network.two, second)):
        mean, variance = naive(values)
        torch.testing.assert_close(layer.running_mean, torch.tensor(mean), rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(layer.running_var, torch.tensor(variance), rtol=1e-4, atol=1e-5)


def test_one_batch_gives_what_torch_gives_in_training() -> None:
    (images,), ours, theirs = drawn(4), Deep(), Deep()
    adapt_batch_norm(ours, [images], None)
    for layer in (theirs.one, theirs.two):
        layer.reset_running_stats()
        layer.momentum = None
        layer.train()
    with torch.no_grad():
        theirs(images)
    number = images[:, 0].numel()
    for one, other in ((ours.one, theirs.one), (ours.two, theirs.two)):
        torch.testing.assert_close(one.running_mean, other.running_mean, rtol=1e-4, atol=1e-5)
        unbiased = one.running_var * number / (number - 1)
        torch.testing.assert_close(unbiased, other.running_var, rtol=1e-4, atol=1e-5)


def test_the_cut_into_batches_does_not_matter_to_the_first_layer() -> None:
    (images,), statistics = drawn(6), []
    for size in (1, 2, 4, 6):
        network = Deep()
        adapt_batch_norm(network, images.split(size), None)
        statistics.append(torch.cat([network.one.running_mean, network.one.running_var]))
    for other in statistics[1:]:
        torch.testing.assert_close(other, statistics[0], rtol=1e-5, atol=1e-6)


def test_it_is_the_same_each_time_and_changes_statistics_alone() -> None:
    network, batches = Deep(), drawn(3, 2)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    adapt_batch_norm(network, batches, None)
    first = {name: value.clone() for name, value in network.state_dict().items()}
    adapt_batch_norm(network, batches, None)
    assert all(torch.equal(value, first[name]) for name, value in network.state_dict().items())
    changed = {name for name in before if not torch.equal(before[name], first[name])}
    assert changed == {f"{layer}.running_{what}" for layer in ("one", "two") for what in ("mean", "var")}
    assert not any(layer._forward_pre_hooks or layer.training for layer in network.modules())


def test_a_layer_of_two_calls_counts_both_and_one_of_none_stays() -> None:
    class Shared(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm, self.idle = nn.BatchNorm2d(2), nn.BatchNorm2d(2)

        def forward(self, images: Tensor) -> Tensor:
            return self.norm(images) + self.norm(images + 10)

    network = Shared().eval()
    adapt_batch_norm(network, [torch.zeros(1, 2, 2, 2)], None)
    torch.testing.assert_close(network.norm.running_mean, torch.full((2,), 5.0))
    torch.testing.assert_close(network.norm.running_var, torch.full((2,), 25.0))
    torch.testing.assert_close(network.idle.running_mean, torch.zeros(2))


def test_a_network_of_patches_counts_its_windows() -> None:
    network = nn.Sequential(nn.BatchNorm2d(1)).eval()
    # Windows of 4 px overlap by half: columns 0-3, 2-5 and 4-7, so the middle ones count twice.
    row = torch.tensor([0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 2.0, 2.0])
    adapt_batch_norm(network, [row.expand(1, 1, 4, 8)], 4)
    expected = (2 * 0 + 8 * 1 + 2 * 2) / 12
    torch.testing.assert_close(network[0].running_mean, torch.tensor([expected]))


@pytest.mark.parametrize("layer", [nn.BatchNorm2d(2, track_running_stats=False), nn.InstanceNorm2d(2)])
def test_a_network_without_running_statistics_is_refused(layer: nn.Module) -> None:
    with pytest.raises(NetworkError, match=r"Sequential has no batch normalisation .* without adapting"):
        adapt_batch_norm(nn.Sequential(layer).eval(), drawn(1), None)


def test_a_network_that_fails_is_left_without_hooks() -> None:
    network = Deep()
    with pytest.raises(RuntimeError):
        adapt_batch_norm(network, [torch.zeros(1, 5, 8, 8)], None)
    assert not any(layer._forward_pre_hooks for layer in network.modules())
