from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from s2s2.generators.diffusion.config import Solver
from s2s2.generators.diffusion.flow import draw_times, mix, solve
from s2s2.generators.diffusion.items import SETTINGS, move
from s2s2.generators.diffusion.module import hide
from s2s2.generators.diffusion.network import MaskUNet


@pytest.mark.parametrize(("solver", "tolerance"), [("euler", 0.05), ("heun", 0.001), ("adams", 0.005)])
def test_the_exact_flow_of_normal_images_leads_to_them(solver: Solver, tolerance: float) -> None:
    """Images N(m, s^2): the best direction is known, and so is where every noise ends: m + s * noise."""
    mean, std = 0.7, 0.3
    noise = torch.randn(1000, generator=torch.Generator().manual_seed(0)).double()

    def velocity(x: Tensor, time: float) -> Tensor:
        variance = (1 - time) ** 2 * std**2 + time**2
        centred = x - (1 - time) * mean
        return (time - (1 - time) * std**2) / variance * centred - mean

    ends = solve(velocity, noise, steps=60, solver=solver)
    assert (ends - (mean + std * noise)).abs().mean().item() < tolerance


def test_lines_go_from_image_to_noise() -> None:
    image, noise = torch.rand(3, 2, 4, 4), torch.randn(3, 2, 4, 4)
    mixed = mix(image, noise, torch.tensor([0.0, 1.0, 0.25]))
    assert torch.equal(mixed[0], image[0])
    assert torch.equal(mixed[1], noise[1])
    assert torch.allclose(mixed[2], 0.75 * image[2] + 0.25 * noise[2])


def test_times_cover_the_whole_line() -> None:
    times = draw_times(20000, torch.Generator().manual_seed(0))
    assert 0 < times.min() < 0.01
    assert 0.99 < times.max() < 1
    assert times.mean().item() == pytest.approx(0.5, abs=0.01)


def network() -> MaskUNet:
    torch.manual_seed(0)
    return MaskUNet(3, 3, SETTINGS, widths=(16, 16), blocks=1, patch=2)


def test_before_learning_the_network_is_right_for_normal_pixels() -> None:
    """With its last layer at 0 only the known part of the direction is left."""
    net = network()
    torch.nn.init.zeros_(net.unet.out[-1].conv.weight)
    torch.nn.init.zeros_(net.unet.out[-1].conv.bias)
    x, condition = torch.randn(2, 3, 16, 16), torch.zeros(2, 3, 16, 16)
    times = torch.tensor([0.2, 0.9])
    direction = net(x, condition, torch.zeros(2, SETTINGS), times)
    for row, time in enumerate(times.tolist()):
        expected = (2 * time - 1) / ((1 - time) ** 2 + time**2) * x[row]
        assert torch.allclose(direction[row], expected, atol=1e-6)


def test_images_are_normalised_and_taken_back() -> None:
    net, rng = network(), torch.Generator().manual_seed(1)
    images = [0.4 + 0.1 * torch.randn(3, 8, side, generator=rng) for side in (8, 12)]
    net.measure(images)
    pixels = torch.cat([image.flatten(1) for image in images], 1)
    assert torch.allclose(net.mean.flatten(), pixels.mean(1), atol=1e-5)
    assert torch.allclose(net.std.flatten(), pixels.std(1, unbiased=False), atol=1e-5)
    inside = torch.ones(1, 1, 8, 8)
    inside[..., 4:] = 0
    normalised = net.normalised(images[0][None], inside)
    assert (normalised[..., 4:] == 0).all()
    assert torch.allclose(net.restored(normalised)[..., :4], images[0][None, ..., :4], atol=1e-6)


def test_checkpointing_changes_memory_and_nothing_else() -> None:
    plain, saving = network(), network()
    saving.save_memory()
    x, condition, settings = torch.randn(1, 3, 16, 16), torch.zeros(1, 3, 16, 16), torch.zeros(1, SETTINGS)
    gradients = []
    for net in (plain, saving):
        net(x, condition, settings, torch.tensor([0.5])).square().mean().backward()
        gradients.append(net.unet.conv_in.conv.weight.grad)
    assert plain.state_dict().keys() == saving.state_dict().keys()
    assert gradients[0] is not None
    assert torch.allclose(gradients[0], gradients[1])


def test_a_hidden_mask_shows_no_class_but_the_padding() -> None:
    condition = torch.ones(2, 3, 4, 4)
    hidden = hide(condition, torch.tensor([True, False]))
    assert torch.equal(hidden[0], condition[0])
    assert (hidden[1, :2] == 0).all()
    assert (hidden[1, 2] == 1).all()


def test_image_mask_and_padding_move_together_and_the_move_is_told() -> None:
    """An image that equals its mask does so after any move; the same move has the same numbers."""
    mask = torch.zeros(1, 32, 32)
    mask[:, 8:20, 4:12] = 1
    condition = torch.cat([1 - mask, mask, torch.ones_like(mask)])
    for seed in range(20):
        image, shown, settings = move(mask, condition, np.random.default_rng(seed))
        assert settings.shape == (SETTINGS,)
        assert settings.abs().sum() > 0
        assert set(shown.unique().tolist()) <= {0.0, 1.0}
        # Bilinear against nearest: they differ at edges alone.
        assert ((image[0] > 0.5).float() - shown[1]).abs().mean() < 0.03
        assert torch.equal(shown[:2].sum(0), shown[2])
        assert math.isfinite(float(settings.sum()))
