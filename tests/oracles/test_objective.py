"""The method against the simplest code that says the same."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from s2s2.objective import ConsistencyLoss, SemanticStacking
from s2s2.objective.consistency import DISTANCES
from s2s2.objective.pixels import class_shares

SIZE = (2, 3, 4, 5)  # batch, channel, height, width


def norm(v: list[float]) -> float:
    return math.sqrt(sum(x * x for x in v))


def cos(f: list[float], g: list[float]) -> float:
    return sum(a * b for a, b in zip(f, g, strict=True)) / (norm(f) * norm(g))


NAIVE = {
    "cosine": lambda f, g: 1 - cos(f, g),
    "angular": lambda f, g: math.acos(max(-1.0, min(1.0, cos(f, g)))) / math.pi,
    "l1": lambda f, g: sum(abs(a - b) for a, b in zip(f, g, strict=True)) / len(f),
    "l2": lambda f, g: norm([a / norm(f) - b / norm(g) for a, b in zip(f, g, strict=True)]),
}


def places(f: Tensor, g: Tensor, distance: str) -> list[list[list[float]]]:
    """The distance at every place, by a triple loop."""
    batch, _, height, width = f.shape
    return [
        [
            [NAIVE[distance](f[b, :, i, j].tolist(), g[b, :, i, j].tolist()) for j in range(width)]
            for i in range(height)
        ]
        for b in range(batch)
    ]


def pair(seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    f, g = torch.randn(2, *SIZE, generator=generator, dtype=torch.float64)
    return f, g


@pytest.mark.parametrize("distance", DISTANCES)
def test_each_distance_equals_a_triple_loop(distance: Any) -> None:
    f, g = pair()
    expected = torch.tensor(places(f, g, distance), dtype=torch.float64).mean()
    torch.testing.assert_close(ConsistencyLoss(distance)(f, g), expected)


@pytest.mark.parametrize("distance", DISTANCES)
def test_class_balanced_distance_equals_a_loop_over_classes(distance: Any) -> None:
    f, g = pair()
    generator = torch.Generator().manual_seed(1)
    mask = torch.randint(3, (2, 8, 10), generator=generator)
    apart, expected = places(f, g, distance), 0.0
    for label in range(3):
        above = below = 0.0
        for b in range(2):
            for i in range(4):
                for j in range(5):
                    area = mask[b, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2].flatten().tolist()
                    share = area.count(label) / 4
                    above += share * apart[b][i][j]
                    below += share
        expected += above / below / 3
    assert ConsistencyLoss(distance, weighting="class")(f, g, mask).item() == pytest.approx(expected)


def test_class_balanced_weighting_equals_a_table() -> None:
    # One image of 1 x 4 places. Distances 0, 0, 1 and 2; the mask has 2 x 2 pixels a place.
    real = torch.tensor([[1.0, 0.0]] * 4).T.reshape(1, 2, 1, 4)
    synthetic = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]).T.reshape(1, 2, 1, 4)
    mask = torch.tensor([[[0, 0, 0, 0, 0, 0, 1, 1], [0, 0, 0, 0, 0, 1, 1, 2]]])
    #                    place      0     1     2     3      sum    sum of share x distance
    shares = {0: [1.00, 1.00, 0.75, 0.00],  # 2.75           0.75
              1: [0.00, 0.00, 0.25, 0.75],  # 1.00           1.75
              2: [0.00, 0.00, 0.00, 0.25]}  # 0.25           0.50  # fmt: skip
    assert class_shares(mask, torch.zeros(1, 1, 4)).flatten(1).tolist() == list(shares.values())
    expected = (0.75 / 2.75 + 1.75 / 1.00 + 0.50 / 0.25) / 3
    assert ConsistencyLoss(weighting="class")(real, synthetic, mask).item() == pytest.approx(expected)
    assert ConsistencyLoss()(real, synthetic).item() == pytest.approx(3 / 4)


def ray(degrees: float) -> Tensor:
    return (
        torch.tensor([math.cos(math.radians(degrees)), math.sin(math.radians(degrees))])
        .view(1, 2, 1, 1)
        .double()
    )


@pytest.mark.parametrize(
    ("distance", "direct", "leg"),
    [
        ("cosine", 1.0, 1 - math.sqrt(0.5)),
        ("angular", 0.5, 0.25),
        ("l2", math.sqrt(2), 2 * math.sin(math.pi / 8)),
    ],
)
def test_only_the_cosine_distance_breaks_the_triangle_inequality(
    distance: Any, direct: float, leg: float
) -> None:
    loss = ConsistencyLoss(distance)
    assert loss(ray(0), ray(90)).item() == pytest.approx(direct)
    assert loss(ray(0), ray(45)).item() == pytest.approx(leg)
    assert loss(ray(45), ray(90)).item() == pytest.approx(leg)
    assert (direct <= 2 * leg + 1e-12) is (distance != "cosine")


@pytest.mark.parametrize("distance", ["angular", "l1", "l2"])
def test_metrics_keep_the_triangle_inequality_everywhere(distance: Any) -> None:
    loss = ConsistencyLoss(distance)
    f, g = pair(2)
    h, _ = pair(3)
    for b in range(2):
        for i in range(4):
            for j in range(5):
                x, y, z = (t[b : b + 1, :, i : i + 1, j : j + 1] for t in (f, g, h))
                assert loss(x, z) <= loss(x, y) + loss(y, z) + 1e-12


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("weighting", [None, "class"])
def test_gradients_of_the_distance(distance: Any, weighting: Any) -> None:
    f, g = (x.requires_grad_() for x in pair())
    mask = (torch.arange(2 * 8 * 10).view(2, 8, 10) % 3).long()
    assert torch.autograd.gradcheck(
        lambda a, b: ConsistencyLoss(distance, weighting=weighting)(a, b, mask), (f, g)
    )


def network(normalise: bool = False) -> nn.Sequential:
    torch.manual_seed(0)
    middle = nn.BatchNorm2d(6) if normalise else nn.GroupNorm(2, 6)
    return nn.Sequential(nn.Conv2d(3, 6, 3, padding=1), middle, nn.Tanh(), nn.Conv2d(6, 3, 1)).double()


def batch() -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    image, synthetic = torch.rand(2, 2, 3, 4, 4, generator=generator, dtype=torch.float64)
    return image, synthetic, torch.randint(3, (2, 4, 4), generator=generator)


def objective(**options: Any) -> SemanticStacking:
    chosen = {"encoder": ["0"], "decoder": ["2"], "alpha_enc": 0.4, "alpha_dec": 0.3, "w_syn": 0.8} | options
    return SemanticStacking(nn.CrossEntropyLoss(), **chosen)


@pytest.mark.parametrize("form", ["joint", "separate"])
@pytest.mark.parametrize("distance", DISTANCES)
def test_gradients_of_the_objective(form: Any, distance: Any) -> None:
    net, (image, synthetic, mask) = network(), batch()
    loss = objective(forward_pass=form, consistency=ConsistencyLoss(distance))
    pairs = (image.requires_grad_(), synthetic.requires_grad_())
    assert torch.autograd.gradcheck(lambda a, b: loss(net, a, b, mask), pairs)


def gradients(net: nn.Module, loss: Tensor) -> list[Tensor]:
    return list(torch.autograd.grad(loss, list(net.parameters())))


def test_separate_equals_a_step_written_by_hand() -> None:
    net, (image, synthetic, mask) = network(normalise=True), batch()
    loss = objective(forward_pass="separate")(net, image, synthetic, mask)
    running = net[1].running_mean.clone()  # type: ignore[union-attr, operator]

    by_hand = network(normalise=True)
    conv, middle, tanh, head = by_hand
    e0 = conv(image)
    d0 = tanh(middle(e0))
    z0 = head(d0)
    e1 = conv(synthetic)
    d1 = tanh(middle(e1))
    z1 = head(d1)

    def apart(f: Tensor, g: Tensor) -> Tensor:
        return (1 - (f * g).sum(1) / (f.norm(dim=1) * g.norm(dim=1))).mean()

    cross_entropy = nn.functional.cross_entropy
    expected = (
        cross_entropy(z0, mask) + 0.8 * cross_entropy(z1, mask) + 0.4 * apart(e0, e1) + 0.3 * apart(d0, d1)
    )
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(gradients(net, loss), gradients(by_hand, expected))
    torch.testing.assert_close(running, middle.running_mean)


def test_joint_equals_separate_without_batch_statistics() -> None:
    net, (image, synthetic, mask) = network(), batch()
    joint = objective(forward_pass="joint")(net, image, synthetic, mask)
    separate = objective(forward_pass="separate")(net, image, synthetic, mask)
    torch.testing.assert_close(joint, separate)
    torch.testing.assert_close(gradients(net, joint), gradients(net, separate))


@pytest.mark.parametrize("form", ["joint", "separate"])
@pytest.mark.parametrize("given", [True, False])
def test_with_all_weights_0_it_is_the_plain_loss_to_the_bit(form: Any, given: bool) -> None:
    image, synthetic, mask = (x.float() if x.is_floating_point() else x for x in batch())
    net, plain = network(normalise=True).float(), network(normalise=True).float()
    zero = objective(w_syn=0, alpha_enc=0, alpha_dec=0, forward_pass=form)
    loss = zero(net, image, synthetic if given else None, mask)
    expected = nn.functional.cross_entropy(plain(image), mask)
    assert torch.equal(loss, expected)
    for ours, theirs in zip(gradients(net, loss), gradients(plain, expected), strict=True):
        assert torch.equal(ours, theirs)
    for ours, theirs in zip(net.buffers(), plain.buffers(), strict=True):
        assert torch.equal(ours, theirs)
