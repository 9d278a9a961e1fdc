"""Pixels that are ignored, against loops that leave them out."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from s2s2.errors import ShapeError
from s2s2.objective import ConsistencyLoss, SemanticStacking
from s2s2.objective.consistency import DISTANCES
from s2s2.training.loss import DiceCrossEntropy
from tests.oracles.test_objective import batch, gradients, network, objective, pair, places


def disputed(seed: int = 4, size: tuple[int, ...] = (2, 8, 10)) -> Tensor:
    return torch.rand(size, generator=torch.Generator().manual_seed(seed)) < 0.4


@pytest.mark.parametrize("distance", DISTANCES)
def test_the_distance_is_a_loop_over_what_is_left(distance: Any) -> None:
    (f, g), ignore = pair(), disputed()
    apart, above, below = places(f, g, distance), 0.0, 0.0
    for b in range(2):
        for i in range(4):
            for j in range(5):
                kept = 1 - ignore[b, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2].double().mean().item()
                above += kept * apart[b][i][j]
                below += kept
    assert ConsistencyLoss(distance)(f, g, None, ignore).item() == pytest.approx(above / below)


def test_the_class_balanced_distance_is_a_loop_over_the_classes_left() -> None:
    (f, g), ignore = pair(), disputed()
    mask = torch.randint(3, (2, 8, 10), generator=torch.Generator().manual_seed(1))
    ignore |= mask == 2  # nothing of this class is left
    apart, expected = places(f, g, "cosine"), 0.0
    for label in range(2):
        above = below = 0.0
        for b in range(2):
            for i in range(4):
                for j in range(5):
                    where = b, slice(2 * i, 2 * i + 2), slice(2 * j, 2 * j + 2)
                    share = sum(
                        pixel == label and not left_out
                        for pixel, left_out in zip(
                            mask[where].flatten().tolist(), ignore[where].flatten().tolist(), strict=True
                        )
                    )
                    above += share / 4 * apart[b][i][j]
                    below += share / 4
        expected += above / below / 2
    loss = ConsistencyLoss(weighting="class")(f, g, mask, ignore)
    assert loss.item() == pytest.approx(expected)


@pytest.mark.parametrize("weighting", [None, "class"])
def test_nothing_ignored_changes_nothing_and_all_ignored_leaves_nothing(weighting: Any) -> None:
    f, g = (x.requires_grad_() for x in pair())
    mask = torch.randint(3, (2, 8, 10), generator=torch.Generator().manual_seed(1))
    loss = ConsistencyLoss(weighting=weighting)
    none = torch.zeros(mask.shape, dtype=torch.bool)
    torch.testing.assert_close(loss(f, g, mask, none), loss(f, g, mask))
    empty = loss(f, g, mask, ~none)
    assert empty.item() == 0
    assert all(not grad.any() for grad in torch.autograd.grad(empty, (f, g)))


def test_tokens_lie_on_the_grid_of_the_mask_or_all_count() -> None:
    f, g = pair()
    tokens = [x.flatten(2).transpose(1, 2) for x in (f, g)]  # 4 x 5 of a mask of 8 x 10
    loss, ignore = ConsistencyLoss(), disputed()
    torch.testing.assert_close(loss(*tokens, None, ignore), loss(f, g, None, ignore))
    with_class_token = [torch.cat([x[:, :1], x], dim=1) for x in tokens]
    assert torch.equal(loss(*with_class_token, None, ignore), loss(*with_class_token))
    pooled = [x.mean((2, 3)) for x in (f, g)]
    assert torch.equal(loss(*pooled, None, ignore), loss(*pooled))


@pytest.mark.parametrize("form", ["joint", "separate"])
def test_the_objective_is_a_loop_over_pixels_that_count(form: Any) -> None:
    net, (image, synthetic, mask) = network(), batch()
    ignore = disputed(size=(2, 4, 4))
    terms = objective(forward_pass=form).terms(net, image, synthetic, mask, ignore)
    logits, total = net(synthetic).log_softmax(1), 0.0
    for b in range(2):
        for i in range(4):
            for j in range(4):
                if not ignore[b, i, j]:
                    total -= logits[b, mask[b, i, j], i, j].item()
    assert terms.synthetic.item() == pytest.approx(total / 32)
    first, second = net[0](image), net[0](synthetic)
    torch.testing.assert_close(terms.encoder, ConsistencyLoss()(first, second, mask, ignore).detach())
    torch.testing.assert_close(terms.segmentation, nn.functional.cross_entropy(net(image), mask).detach())


@pytest.mark.parametrize("form", ["joint", "separate"])
@pytest.mark.parametrize("segmentation", [nn.CrossEntropyLoss(), DiceCrossEntropy()])
def test_ignored_pixels_of_the_synthetic_image_give_no_gradient(form: Any, segmentation: Any) -> None:
    """A head of 1 x 1 on 1 x 1 features: what a pixel holds reaches that pixel's loss alone."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Tanh(), nn.Conv2d(4, 3, 1)).double()
    image, synthetic, mask = batch()
    ignore = disputed(size=(2, 4, 4))
    loss = SemanticStacking(segmentation, encoder=["0"], alpha_enc=0.5, forward_pass=form)
    synthetic.requires_grad_()
    (grad,) = torch.autograd.grad(loss(net, image, synthetic, mask, ignore), synthetic)
    reached = grad.abs().sum(1) > 0
    assert not reached[ignore].any()
    assert reached[~ignore].all()


def test_what_an_ignored_pixel_shows_does_not_matter() -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Tanh(), nn.Conv2d(4, 3, 1)).double()
    image, synthetic, mask = batch()
    ignore = disputed(size=(2, 4, 4))
    loss = SemanticStacking(DiceCrossEntropy(), encoder=["0"], decoder=["1"], alpha_dec=0.2)
    other = torch.where(ignore[:, None], torch.rand_like(synthetic), synthetic)
    assert not torch.equal(synthetic, other)
    torch.testing.assert_close(
        loss(net, image, synthetic, mask, ignore), loss(net, image, other, mask, ignore)
    )


def test_without_anything_to_ignore_the_loss_is_the_same_to_the_bit() -> None:
    image, synthetic, mask = (x.float() if x.is_floating_point() else x for x in batch())
    net = network().float()
    plain, given = (objective()(net, image, synthetic, mask, *ignore) for ignore in ((), (None,)))
    assert torch.equal(plain, given)
    assert all(map(torch.equal, gradients(net, plain), gradients(net, given)))


def test_one_channel_of_logits_is_the_foreground() -> None:
    net = nn.Conv2d(3, 1, 1).double()
    image, synthetic, mask = batch()
    mask = (mask > 0).long()

    def binary(logits: Tensor, mask: Tensor) -> Tensor:
        return nn.functional.binary_cross_entropy_with_logits(logits[:, 0], mask.double())

    loss = SemanticStacking(binary, alpha_enc=0)
    terms = loss.terms(net, image, synthetic, mask, torch.ones_like(mask, dtype=torch.bool))
    assert terms.synthetic.item() == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("ignore", [torch.zeros(2, 4, 3, dtype=torch.bool), torch.zeros(2, 4, 4)])
def test_what_is_ignored_is_one_truth_value_a_pixel(ignore: Tensor) -> None:
    image, synthetic, mask = batch()
    with pytest.raises(ShapeError, match="must be bool of the mask's shape"):
        objective()(network(), image, synthetic, mask, ignore)
