from __future__ import annotations

import pytest
import torch

from s2s2.errors import NetworkError
from s2s2.networks import Normalisation, default_normalisation


def test_subtracts_the_mean_and_divides_by_the_deviation() -> None:
    images = torch.rand(2, 3, 4, 5)
    normalise = Normalisation(mean=(0.1, 0.2, 0.3), std=(0.5, 1.0, 2.0))
    for channel in range(3):
        expected = (images[:, channel] - normalise.mean[channel]) / normalise.std[channel]
        torch.testing.assert_close(normalise(images)[:, channel], expected)


def test_keeps_the_type_of_the_images() -> None:
    assert default_normalisation(3)(torch.rand(1, 3, 2, 2).double()).dtype == torch.float64


def test_survives_json() -> None:
    normalise = default_normalisation(3)
    assert Normalisation.from_dict(normalise.to_dict()) == normalise


@pytest.mark.parametrize("channels", [1, 2, 3, 7])
def test_default_has_a_value_for_each_channel(channels: int) -> None:
    normalise = default_normalisation(channels)
    assert len(normalise.mean) == len(normalise.std) == channels


def test_refuses_images_of_other_channels() -> None:
    with pytest.raises(NetworkError, match=r"The images have 1 channels, but the network was made for 3\."):
        default_normalisation(3)(torch.rand(1, 1, 4, 4))


@pytest.mark.parametrize(("mean", "std"), [((0.5,), (0.0,)), ((0.5,), (1.0, 1.0)), ((), ())])
def test_refuses_what_cannot_normalise(mean: tuple[float, ...], std: tuple[float, ...]) -> None:
    with pytest.raises(NetworkError, match="one mean and one standard deviation above 0"):
        Normalisation(mean, std)
