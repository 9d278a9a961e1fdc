"""The collapse meter against the simplest loops that say the same."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from s2s2.objective import ConsistencyLoss, SemanticStacking
from tests.oracles.test_ignored_pixels import disputed
from tests.oracles.test_objective import batch, network, norm, pair

SIDE = (2, 4, 5)  # batch, height, width of the features; masks are 8 x 10
FORMS = ("joint", "separate")


def rows(f: Tensor) -> list[list[float]]:
    """The channel vector of every position, by image, row and column."""
    return [f[b, :, i, j].tolist() for b, i, j in itertools.product(*map(range, (len(f), *f.shape[2:])))]


def areas(region: Tensor) -> list[float]:
    """The share of 2 x 2 pixels behind every position that is True, in the same order."""
    return [
        region[b, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2].double().mean().item()
        for b, i, j in itertools.product(*map(range, SIDE))
    ]


def mean_of(vectors: list[list[float]], weights: list[float]) -> list[float]:
    total = sum(weights)
    return [
        sum(w * v[c] for v, w in zip(vectors, weights, strict=True)) / total for c in range(len(vectors[0]))
    ]


def labels() -> Tensor:
    """Three classes and pixels without a label."""
    generator = torch.Generator().manual_seed(1)
    mask = torch.randint(3, (2, 8, 10), generator=generator)
    return mask.masked_fill(disputed(seed=9), 255)


def naive_meter(views: tuple[Tensor, Tensor], weights: list[float]) -> tuple[float, float]:
    vectors, weights = rows(views[0]) + rows(views[1]), 2 * weights
    mean = mean_of(vectors, weights)
    power = sum(w * norm(v) ** 2 for v, w in zip(vectors, weights, strict=True)) / sum(weights)
    channels = range(len(mean))
    covariance = [
        [
            sum(w * (v[c] - mean[c]) * (v[d] - mean[d]) for v, w in zip(vectors, weights, strict=True))
            / sum(weights)
            for d in channels
        ]
        for c in channels
    ]
    # Singular values: another way than the eigenvalues of a symmetric matrix.
    values = torch.linalg.svdvals(torch.tensor(covariance, dtype=torch.float64)).tolist()
    shares = [value / sum(values) for value in values if value > 0]
    return norm(mean) ** 2 / power, math.exp(-sum(share * math.log(share) for share in shares))


def naive_placed(views: tuple[Tensor, Tensor], weights: list[float]) -> float:
    f, g = map(rows, views)
    half = len(f) // 2
    both = first = second = 0.0
    for n in range(len(f)):
        other = (n + half) % len(f)  # the same position of the other image
        both += weights[other] * sum(a * b for a, b in zip(f[n], g[other], strict=True))
        first += weights[other] * norm(f[n]) ** 2
        second += weights[other] * norm(g[other]) ** 2
    return both / math.sqrt(first * second)


def identity(weighting: Any = None, **options: Any) -> SemanticStacking:
    return SemanticStacking(
        nn.CrossEntropyLoss(),
        encoder=None,
        consistency=ConsistencyLoss(weighting=weighting),
        w_syn=0,
        alpha_enc=0,
        **options,
    )


@pytest.mark.parametrize("given", [False, True])
@pytest.mark.parametrize("weighting", [None, "class"])
def test_the_meter_is_a_loop_over_positions(given: bool, weighting: Any) -> None:
    views, mask = pair(), labels()
    views = views[0] + 1, views[1] + 1
    ignore = disputed() if given else None
    logits = torch.zeros(2, 256, 8, 10)
    terms = identity(weighting).combine(logits, logits, mask, *views, ignore=ignore, collapse=True)
    found = terms.collapse["encoder"]
    weights = [1.0] * math.prod(SIDE) if ignore is None else areas(~ignore)
    common, rank = naive_meter(views, weights)
    assert (found.common, found.rank) == pytest.approx((common, rank))
    assert found.placed == pytest.approx(naive_placed(views, weights))
    loss = ConsistencyLoss(weighting=weighting)
    swapped = views[1][[1, 0]], None if ignore is None else ignore[[1, 0]]
    unrelated = loss(views[0], swapped[0], mask, swapped[1])
    assert found.relative == pytest.approx((loss(*views, mask, ignore) / unrelated).item())


@pytest.mark.parametrize("form", FORMS)
def test_the_meter_is_a_mean_over_taps_and_leaves_the_step_as_it_was(form: Any) -> None:
    net, (image, synthetic, mask) = network(), batch()
    ignore = disputed(size=(2, 4, 4))
    losses = []
    for collapse in (False, True):
        objective = SemanticStacking(
            nn.CrossEntropyLoss(),
            encoder=["0", "1"],
            decoder=["2"],
            forward_pass=form,
        )
        steps = [
            objective.terms(net, image, synthetic, mask, ignore, collapse=collapse),
            objective.terms(net, synthetic, image, mask, ignore),
        ]
        losses.append([terms.total for terms in steps])
    torch.testing.assert_close(losses[0], losses[1], rtol=0, atol=0)
    meter = objective.terms(net, image, synthetic, mask, ignore, collapse=True).collapse
    assert list(meter) == ["encoder", "decoder"]
    kept = (~ignore).double().flatten().tolist()
    found = [naive_meter((net[:end](image), net[:end](synthetic)), kept) for end in (1, 2)]
    common, rank = (sum(values) / 2 for values in zip(*found, strict=True))
    assert meter["encoder"].common == pytest.approx(common, rel=1e-5)
    assert meter["encoder"].rank == pytest.approx(rank, rel=1e-5)


def test_the_meter_names_a_collapse() -> None:
    logits, mask = torch.zeros(2, 3, 8, 10), torch.zeros(2, 8, 10, dtype=torch.long)
    one = torch.ones(2, 3, 4, 5)
    flat = identity().combine(logits, logits, mask, one, one, collapse=True).collapse["encoder"]
    assert flat == pytest.approx((1, 1, 0, 1))
    f, _ = pair()
    free = identity().combine(logits, logits, mask, f, f.roll(1, 0), collapse=True).collapse["encoder"]
    assert free.relative > 1e6  # every image is another one's copy: a pair is as unrelated as can be
    lone = identity().combine(logits[:1], logits[:1], mask[:1], f[:1], f[:1], collapse=True)
    assert math.isnan(lone.collapse["encoder"].relative)
    assert math.isnan(lone.collapse["encoder"].placed)
    assert identity().combine(logits, logits, mask, f, f).collapse == {}


def test_mixed_precision_sums_in_single() -> None:
    (f, g), mask = (view.float() for view in pair()), labels()
    logits = torch.zeros(2, 256, 8, 10)
    exact = identity().combine(logits, logits, mask, f, g, collapse=True).collapse
    with torch.autocast("cpu", torch.bfloat16):
        mixed = identity().combine(logits, logits, mask, f, g, collapse=True).collapse
    assert mixed == exact


def test_features_that_are_no_numbers_are_measured_as_none() -> None:
    logits, mask = torch.zeros(2, 3, 8, 10), torch.zeros(2, 8, 10, dtype=torch.long)
    f = torch.full((2, 3, 4, 5), math.nan)
    broken = identity().combine(logits, logits, mask, f, f, collapse=True).collapse["encoder"]
    assert all(map(math.isnan, broken))
