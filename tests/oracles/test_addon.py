"""Options of the add-on against loops that say the same."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from s2s2.objective import ConsistencyLoss, SemanticStacking, Tap
from s2s2.objective.consistency import DISTANCES
from tests.oracles.test_objective import NAIVE, batch, pair, places


class Pyramid(nn.Module):
    """Logits at two scales; the body returns channels-last tokens and maps in one structure."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.body, self.heads = Body(), nn.ModuleList([nn.Conv2d(4, 3, 1) for _ in range(2)])
        self.double()

    def forward(self, x: Tensor) -> list[Tensor]:
        _, (maps, coarse) = self.body(x)
        return [self.heads[0](maps), self.heads[1](coarse)]


class Body(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)

    def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        maps = self.conv(x)
        return maps.movedim(1, -1), [maps, nn.functional.avg_pool2d(maps, 2)]


def by_hand(f: Tensor, g: Tensor, distance: str = "cosine") -> float:
    """The mean distance of (batch, *grid, channel), by a loop over positions."""
    rows = zip(f.reshape(-1, f.shape[-1]).tolist(), g.reshape(-1, g.shape[-1]).tolist(), strict=True)
    apart = [NAIVE[distance](a, b) for a, b in rows]
    return sum(apart) / len(apart)


def deep(logits: list[Tensor], mask: Tensor) -> Tensor:
    fine = nn.functional.cross_entropy(logits[0], mask)
    return fine + 0.5 * nn.functional.cross_entropy(logits[1], mask[:, ::2, ::2])


@pytest.mark.parametrize("form", ["joint", "separate"])
@pytest.mark.parametrize("distance", DISTANCES)
def test_axes_weights_and_items_are_a_loop_over_positions(form: Any, distance: Any) -> None:
    net, (image, synthetic, mask) = Pyramid(), batch()
    objective = SemanticStacking(
        deep,
        encoder=[Tap("body", item=0, channel_dim=-1, weight=0.5), Tap("body", item="1:1", weight=2.0)],
        consistency=ConsistencyLoss(distance),
        forward_pass=form,
    )
    terms = objective.terms(net, image, synthetic, mask)
    (last, (_, coarse)), (other_last, (_, other_coarse)) = net.body(image), net.body(synthetic)
    expected = 0.5 * by_hand(last, other_last, distance)
    expected += 2.0 * by_hand(coarse.movedim(1, -1), other_coarse.movedim(1, -1), distance)
    assert terms.encoder.item() == pytest.approx(expected)


@pytest.mark.parametrize("form", ["joint", "separate"])
def test_deep_supervision_is_a_loop_over_scales_and_pixels(form: Any) -> None:
    net, (image, synthetic, mask) = Pyramid(), batch()
    objective = SemanticStacking(deep, encoder=[Tap("body", item="1:0")], w_syn=0.7, forward_pass=form)
    terms = objective.terms(net, image, synthetic, mask)
    losses = []
    for view in (image, synthetic):
        total = 0.0
        for weight, stride, logits in zip((1.0, 0.5), (1, 2), net(view), strict=True):
            batches, _, height, width = logits.shape
            for b in range(batches):
                for i in range(height):
                    for j in range(width):
                        scores = logits[b, :, i, j].tolist()
                        label = int(mask[b, i * stride, j * stride])
                        log_sum = math.log(sum(math.exp(score) for score in scores))
                        total += weight * (log_sum - scores[label]) / (batches * height * width)
        losses.append(total)
    assert terms.segmentation.item() == pytest.approx(losses[0])
    assert terms.synthetic.item() == pytest.approx(losses[1])
    expected = losses[0] + 0.7 * losses[1] + 0.4 * terms.encoder.item()
    assert terms.total.item() == pytest.approx(expected)
    gradients = torch.autograd.grad(terms.total, list(net.parameters()))
    f, g = net.body.conv(image), net.body.conv(synthetic)
    apart = (1 - (f * g).sum(1) / (f.norm(dim=1) * g.norm(dim=1))).mean()
    total = deep(net(image), mask) + 0.7 * deep(net(synthetic), mask) + 0.4 * apart
    torch.testing.assert_close(gradients, torch.autograd.grad(total, list(net.parameters())))


@pytest.mark.parametrize("void", [255, -1])
@pytest.mark.parametrize("extra", [False, True], ids=["void alone", "and pixels ignored"])
def test_pixels_without_a_label_belong_to_no_class(void: int, extra: bool) -> None:
    f, g = pair()
    generator = torch.Generator().manual_seed(1)
    mask = torch.randint(3, (2, 8, 10), generator=generator)
    unlabelled = torch.rand(mask.shape, generator=generator) < 0.3
    unlabelled |= mask == 1  # nothing of this class is labelled
    ignore = torch.rand(mask.shape, generator=generator) < 0.2 if extra else torch.zeros_like(unlabelled)
    apart, expected = places(f, g, "cosine"), 0.0
    for label in (0, 2):
        above = below = 0.0
        for b in range(2):
            for i in range(4):
                for j in range(5):
                    where = b, slice(2 * i, 2 * i + 2), slice(2 * j, 2 * j + 2)
                    counted = (mask[where] == label) & ~unlabelled[where] & ~ignore[where]
                    share = counted.flatten().tolist().count(True) / 4
                    above += share * apart[b][i][j]
                    below += share
        expected += above / below / 2
    loss = ConsistencyLoss(weighting="class", ignore_index=void)
    given = mask.masked_fill(unlabelled, void)
    got = loss(f, g, given, ignore if extra else None)
    assert got.item() == pytest.approx(expected)
    assert ConsistencyLoss()(f, g, given).item() == pytest.approx(by_hand(f.movedim(1, -1), g.movedim(1, -1)))


def test_the_objective_hands_void_labels_to_both_losses() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Tanh(), nn.Conv2d(4, 3, 1)).double()
    image, synthetic, mask = batch()
    mask[:, 0] = 255
    objective = SemanticStacking(
        nn.CrossEntropyLoss(ignore_index=255), encoder=["0"], consistency=ConsistencyLoss(weighting="class")
    )
    terms = objective.terms(net, image, synthetic, mask.to(torch.uint8)[:, None])
    torch.testing.assert_close(
        terms.segmentation, nn.functional.cross_entropy(net(image)[:, :, 1:], mask[:, 1:]).detach()
    )
    f, g = (net[0](x)[:, :, 1:] for x in (image, synthetic))
    torch.testing.assert_close(terms.encoder, ConsistencyLoss(weighting="class")(f, g, mask[:, 1:]).detach())
