from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from s2s2.errors import ConfigError, ShapeError
from s2s2.objective import SaliencyBalancing, SemanticStacking
from s2s2.objective.saliency import saliency

CE = nn.CrossEntropyLoss()
MASK = torch.randint(2, (4, 8, 12), generator=torch.Generator().manual_seed(1))


def views(number: int = 3) -> tuple[Tensor, ...]:
    return torch.rand(number, 4, 3, 8, 12, generator=torch.Generator().manual_seed(0)).unbind()


def small() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 6, 3, padding=1), nn.Tanh(), nn.Conv2d(6, 2, 1))


def balanced(grid: int = 3, **options: Any) -> SaliencyBalancing:
    return SaliencyBalancing(SemanticStacking(CE, encoder=["0"], **options), grid=grid)


@pytest.mark.parametrize("form", ["joint", "separate"])
def test_the_loss_on_top_of_slaug_equals_a_step_written_by_hand(form: Any) -> None:
    network, (image, local, synthetic) = small(), views()
    found = balanced(w_syn=0.1, alpha_enc=0.1, forward_pass=form)(network, image, local, synthetic, MASK)
    found.backward()
    gradients = [weight.grad.clone() for weight in network.parameters()]
    network.zero_grad()

    seen = image.clone().requires_grad_()
    first = CE(network(seen), MASK)
    first.backward(retain_graph=True)  # as published, with the gradient of the weights at once
    s = saliency(seen.grad, 3)
    fused = (s * image + (1 - s) * local).detach()
    (f, z), (g, w) = (
        (features, network[1:](features)) for features in (network[0](fused), network[0](synthetic))
    )
    apart = 1 - torch.cosine_similarity(f, g, dim=1).mean()
    rest = CE(z, MASK) + 0.1 * CE(w, MASK) + 0.1 * apart
    rest.backward()
    torch.testing.assert_close(found, first + rest)
    for mine, weight in zip(gradients, network.parameters(), strict=True):
        torch.testing.assert_close(mine, weight.grad)


def test_every_term_is_returned() -> None:
    network, (image, local, synthetic) = small(), views()
    objective = balanced(w_syn=0.3, alpha_enc=0.4)
    terms = objective.terms(network, image, local, synthetic, MASK, collapse=True)
    parts = terms.segmentation + terms.fused + 0.3 * terms.synthetic + 0.4 * terms.encoder
    torch.testing.assert_close(terms.total.detach(), parts)
    torch.testing.assert_close(terms.segmentation, CE(network(image), MASK).detach())
    torch.testing.assert_close(terms.logits, network(image).detach())
    torch.testing.assert_close(terms.synthetic_logits, network(synthetic).detach())
    assert set(terms.collapse) == {"encoder"}
    torch.testing.assert_close(objective(network, image, local, synthetic, MASK), terms.total)


def test_without_weights_it_is_slaug_and_needs_no_synthetic_image() -> None:
    network, (image, local) = small(), views(2)
    terms = balanced(w_syn=0.0, alpha_enc=0.0).terms(network, image, local, None, MASK)
    torch.testing.assert_close(terms.total.detach(), terms.segmentation + terms.fused)
    assert math.isnan(terms.synthetic)
    assert terms.synthetic_logits is None


def test_the_grid_and_both_views_matter() -> None:
    network, (image, local, _) = small(), views()
    slaug = {"w_syn": 0.0, "alpha_enc": 0.0}
    first, finer = (balanced(grid, **slaug)(network, image, local, None, MASK) for grid in (2, 4))
    same = balanced(2, **slaug)(network, image, image, None, MASK)
    assert len({round(float(loss.detach()), 6) for loss in (first, finer, same)}) == 3
    torch.testing.assert_close(same, 2 * CE(network(image), MASK))


class Counting(nn.Module):
    """Counts its passes forwards, and those backwards that reach its input or its weights."""

    def __init__(self) -> None:
        super().__init__()
        self.body = small()
        self.images: list[int] = []
        self.backward_passes = self.backward_to_weights = 0

    def forward(self, image: Tensor) -> Tensor:
        self.images.append(len(image))
        logits = self.body(image)
        logits.register_hook(self.note)
        return logits

    def note(self, _gradient: Tensor) -> None:
        self.backward_passes += 1


@pytest.mark.parametrize(
    ("options", "images"),
    [
        ({"w_syn": 0.0, "alpha_enc": 0.0}, [4, 4]),
        ({"forward_pass": "joint"}, [4, 8]),
        ({"forward_pass": "separate"}, [4, 4, 4]),
    ],
)
def test_one_more_backward_pass_and_no_more_forward_ones(options: dict[str, Any], images: list[int]) -> None:
    network, (image, local, synthetic) = Counting(), views()
    stacking = SemanticStacking(CE, encoder=["body.0"], **options)
    shown = synthetic if len(images) > 2 or images[-1] > 4 else None
    loss = SaliencyBalancing(stacking, grid=3)(network, image, local, shown, MASK)
    assert network.images == images
    assert network.backward_passes == 1  # the saliency's, through the first pass alone
    assert all(weight.grad is None for weight in network.parameters())
    assert image.grad is None
    loss.backward()
    assert network.backward_passes == 1 + len(images)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_under_autocast_the_saliency_is_that_of_single_precision(
    monkeypatch: pytest.MonkeyPatch, dtype: torch.dtype
) -> None:
    # As many pixels as make the gradient of their mean vanish in half precision.
    torch.manual_seed(0)
    image, local = torch.rand(2, 8, 3, 192, 192)
    mask = (torch.rand(8, 192, 192) > 0.9).long()
    maps: list[Tensor] = []

    def noted(gradient: Tensor, grid: int) -> Tensor:
        maps.append(saliency(gradient, grid))
        return maps[-1]

    monkeypatch.setattr("s2s2.objective.saliency_balancing.saliency", noted)
    for enabled in (False, True):
        network = small()
        with torch.autocast("cpu", dtype, enabled=enabled):
            loss = balanced(w_syn=0.0, alpha_enc=0.0)(network, image, local, None, mask)
        loss.backward()
        assert all(weight.grad.isfinite().all() for weight in network.parameters())
    assert maps[1].dtype == torch.float32
    assert (maps[0] - maps[1]).abs().mean() < 0.03


def test_batch_statistics_go_on_as_without() -> None:
    network = nn.Sequential(nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6), nn.Conv2d(6, 2, 1))
    image, local, synthetic = views()
    objective = balanced()
    for _ in range(2):
        objective(network, image, local, synthetic, MASK).backward()
    assert int(network[1].num_batches_tracked) == 4


def test_the_taps_are_released() -> None:
    network, objective = small(), balanced()
    objective(network, *views(), MASK)
    assert network[0]._forward_hooks
    objective.close()
    assert not network[0]._forward_hooks


def test_views_of_two_sizes_are_refused() -> None:
    image, local, synthetic = views()
    with pytest.raises(ShapeError, match=r"two views .* \(4, 3, 8, 12\) and \(4, 3, 8, 8\)"):
        balanced()(small(), image, local[..., :8], synthetic, MASK)


def test_no_cells_are_refused() -> None:
    with pytest.raises(ConfigError, match="grid is 0"):
        balanced(0)
    assert "grid=3" in repr(balanced())


def test_a_stack_that_is_missing_is_said() -> None:
    image, local, _ = views()
    with pytest.raises(ConfigError, match="got no synthetic image"):
        balanced()(small(), image, local, None, MASK)
