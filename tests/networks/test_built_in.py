"""Stems of any number of channels, and images that a network refuses."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from s2s2.networks import BUILT_IN
from s2s2.networks.built_in import repeat_stem


@pytest.mark.parametrize("channels", [1, 2, 3, 5])
def test_equal_channels_give_what_their_rgb_copy_does(channels: int) -> None:
    torch.manual_seed(0)
    kernel, grey = torch.randn(4, 3, 3, 3), torch.rand(1, 1, 6, 6)
    expected = F.conv2d(grey.expand(-1, 3, -1, -1), kernel)
    found = F.conv2d(grey.expand(-1, channels, -1, -1), repeat_stem(kernel, channels))
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_network_says_what_it_is_and_has_taps(name: str) -> None:
    entry = BUILT_IN[name]
    assert entry.summary
    assert entry.weights
    assert entry.licence
    assert entry.reference
    assert entry.load().encoder_taps
    assert entry.load().decoder_taps
