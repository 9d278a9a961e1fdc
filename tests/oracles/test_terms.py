"""The optional terms and the collapse meter against the simplest loops that say the same."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from s2s2.errors import ConfigError, ShapeError
from s2s2.objective import (
    ConsistencyLoss,
    JensenShannon,
    Prototypes,
    Ramp,
    SemanticStacking,
    Standardised,
    Tap,
)
from s2s2.objective.consistency import DISTANCES
from tests.oracles.test_ignored_pixels import disputed
from tests.oracles.test_objective import NAIVE, batch, cos, network, norm, pair

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


def moments(views: tuple[Tensor, Tensor], weights: list[float]) -> tuple[list[float], list[float]]:
    vectors = rows(views[0]) + rows(views[1])
    mean = mean_of(vectors, 2 * weights)
    squares = [[(x - m) ** 2 for x, m in zip(v, mean, strict=True)] for v in vectors]
    return mean, mean_of(squares, 2 * weights)


def standard(vector: list[float], mean: list[float], variance: list[float]) -> list[float]:
    return [(x - m) / math.sqrt(v + 1e-5) for x, m, v in zip(vector, mean, variance, strict=True)]


def labels() -> Tensor:
    """Three classes and pixels without a label."""
    generator = torch.Generator().manual_seed(1)
    mask = torch.randint(3, (2, 8, 10), generator=generator)
    return mask.masked_fill(disputed(seed=9), 255)


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("given", [False, True])
def test_standardised_features_are_a_loop_over_channels_and_steps(distance: Any, given: bool) -> None:
    loss = Standardised(ConsistencyLoss(distance), momentum=0.25)
    ignore = disputed() if given else None
    weights = areas(~ignore) if ignore is not None else [1.0] * math.prod(SIDE)
    running: list[list[float]] = []
    for step in range(3):
        views = pair(step)
        views = views[0] + 5, 2 * views[1] + 5
        now = [list(values) for values in moments(views, weights)]
        running = [
            [n if not step else 0.75 * o + 0.25 * n for o, n in zip(old, new, strict=True)]
            for old, new in zip(running or now, now, strict=True)
        ]
        apart = [
            NAIVE[distance](standard(f, *running), standard(g, *running))
            for f, g in zip(*map(rows, views), strict=True)
        ]
        expected = sum(w * a for w, a in zip(weights, apart, strict=True)) / sum(weights)
        assert loss(*views, None, ignore).item() == pytest.approx(expected)


@pytest.mark.parametrize("given", [False, True])
def test_statistics_of_every_position_are_a_loop_over_the_batch(given: bool) -> None:
    views, ignore = pair(), disputed() if given else None
    weights = areas(~ignore) if ignore is not None else [1.0] * math.prod(SIDE)
    half = len(weights) // 2  # positions of one image
    vectors, kept = rows(views[0]) + rows(views[1]), 2 * weights
    total = 0.0
    for i in range(half):
        here, share = vectors[i::half], kept[i::half]
        if not sum(share):
            continue
        mean = mean_of(here, share)
        spread = mean_of([[(x - m) ** 2 for x, m in zip(v, mean, strict=True)] for v in here], share)
        for b in range(2):
            f, g = (standard(here[n], mean, spread) for n in (b, b + 2))
            total += share[b] * NAIVE["cosine"](f, g)
    found = Standardised(ConsistencyLoss(), per="position")(*views, None, ignore)
    assert found.item() == pytest.approx(total / sum(weights))


def test_features_that_tell_their_position_alone_are_seen_through() -> None:
    place = torch.randn(1, 3, 4, 5, generator=torch.Generator().manual_seed(7), dtype=torch.float64)
    f, g = (20 * place + x for x in pair())
    plain, per_channel, per_position = (
        loss(f, g)
        for loss in (
            ConsistencyLoss(),
            Standardised(ConsistencyLoss()),
            Standardised(ConsistencyLoss(), per="position"),
        )
    )
    assert plain < 0.02
    assert per_channel < 0.02
    assert per_position > 0.5


def test_statistics_of_positions_need_one_size() -> None:
    loss = Standardised(ConsistencyLoss(), per="position")
    f, g = pair()
    loss(f, g)
    with pytest.raises(ShapeError, match=r"are of shape \(4, 5, 3\).*\(2, 2, 5, 3\).*per='channel'"):
        loss(f[:, :, :2], g[:, :, :2])
    with pytest.raises(ConfigError, match="per is 'pixel'"):
        Standardised(ConsistencyLoss(), per="pixel")  # type: ignore[arg-type]


def test_the_statistics_of_standardised_features_have_no_gradient() -> None:
    loss = Standardised(ConsistencyLoss())
    loss(*pair(1))
    loss.eval()
    views = tuple(x.requires_grad_() for x in pair())
    assert torch.autograd.gradcheck(lambda f, g: loss(f, g), views)


def test_statistics_are_of_steps_alone_and_go_on_after_a_stop() -> None:
    loss, twin = Standardised(ConsistencyLoss()), Standardised(ConsistencyLoss())
    loss(*pair(), tap="a")
    twin.load_state_dict(loss.state_dict())
    with torch.no_grad():
        loss(*pair(1), tap="a")
    loss.eval()(*pair(1), tap="a")
    loss.train()
    for step in (2, 3):
        assert torch.equal(loss(*pair(step), tap="a"), twin(*pair(step), tap="a"))


@pytest.mark.parametrize("form", FORMS)
def test_every_tap_has_statistics_of_its_own(form: Any) -> None:
    net, (image, synthetic, mask) = network(), batch()
    both = SemanticStacking(
        nn.CrossEntropyLoss(),
        encoder=["0", Tap("2", weight=0.5)],
        consistency=Standardised(ConsistencyLoss()),
        forward_pass=form,
    )
    found = both.terms(net, image, synthetic, mask).encoder
    alone = [
        Standardised(ConsistencyLoss())(net[:end](image), net[:end](synthetic), mask).item() for end in (1, 3)
    ]
    assert found.item() == pytest.approx(alone[0] + 0.5 * alone[1])


def naive_prototypes(
    views: tuple[Tensor, Tensor], mask: Tensor, temperature: float, kept: Tensor | None
) -> float:
    shares = {
        label: areas((mask == label) & (True if kept is None else kept))
        for label in sorted(set(mask.flatten().tolist()) - {255})
    }
    means = [[mean_of(rows(view), share) for share in shares.values() if sum(share)] for view in views]
    near = [[math.exp(cos(a, b) / temperature) for b in means[1]] for a in means[0]]
    total = 0.0
    for k in range(len(near)):
        total -= math.log(near[k][k] / sum(near[k]))
        total -= math.log(near[k][k] / sum(row[k] for row in near))
    return total / (2 * len(near))


@pytest.mark.parametrize("given", [False, True])
@pytest.mark.parametrize("temperature", [0.1, 1.0])
def test_prototypes_are_a_loop_over_classes_and_positions(given: bool, temperature: float) -> None:
    views, mask = pair(), labels()
    ignore = disputed() if given else None
    if ignore is not None:
        ignore |= mask == 2  # nothing of this class is left
    expected = naive_prototypes(views, mask, temperature, None if ignore is None else ~ignore)
    assert Prototypes(temperature)(*views, mask, ignore).item() == pytest.approx(expected)
    last = [view.movedim(1, -1) for view in views]
    assert Prototypes(temperature, channel_dim=-1)(*last, mask, ignore).item() == pytest.approx(expected)


def test_prototypes_of_one_class_or_none_ask_for_nothing() -> None:
    views = tuple(x.requires_grad_() for x in pair())
    for label in (1, 255):
        loss = Prototypes()(*views, torch.full((2, 8, 10), label))
        assert loss.item() == 0
        assert all(not grad.any() for grad in torch.autograd.grad(loss, views, allow_unused=True))


def test_features_that_are_all_alike_do_not_meet_prototypes() -> None:
    f = torch.ones(2, 3, 4, 5)
    assert Prototypes()(f, f, labels()).item() == pytest.approx(math.log(3))


@pytest.mark.parametrize("given", [False, True])
@pytest.mark.parametrize("classes", [1, 3])
def test_the_divergence_is_a_loop_over_pixels_and_classes(given: bool, classes: int) -> None:
    generator = torch.Generator().manual_seed(3)
    z, y = 3 * torch.randn(2, 2, classes, 4, 5, generator=generator, dtype=torch.float64)
    mask, ignore = torch.zeros(SIDE, dtype=torch.long), disputed(size=SIDE) if given else None
    total, counted = 0.0, 0
    for b, i, j in itertools.product(*map(range, SIDE)):
        if ignore is not None and ignore[b, i, j]:
            continue
        p, q = (posterior(logits[b, :, i, j].tolist()) for logits in (z, y))
        middle = [(a + c) / 2 for a, c in zip(p, q, strict=True)]
        total += (divergence(p, middle) + divergence(q, middle)) / 2
        counted += 1
    assert JensenShannon()(z, y, mask, ignore).item() == pytest.approx(total / counted)
    several = JensenShannon()([z, 0 * z], [y, 0 * y], mask, ignore)
    assert several.item() == pytest.approx(total / counted / 2)


def posterior(logits: list[float]) -> list[float]:
    raised = [math.exp(z) for z in ([0.0, *logits] if len(logits) == 1 else logits)]
    return [r / sum(raised) for r in raised]


def divergence(p: list[float], m: list[float]) -> float:
    return sum(a * math.log(a / b) for a, b in zip(p, m, strict=True))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("given", [False, True])
def test_the_objective_adds_the_divergence_with_its_weight(form: Any, given: bool) -> None:
    net, (image, synthetic, mask) = network(), batch()
    ignore = disputed(size=(2, 4, 4)) if given else None
    objective = SemanticStacking(
        nn.CrossEntropyLoss(), encoder=["0"], w_syn=0.8, alpha_js=0.6, forward_pass=form
    )
    terms = objective.terms(net, image, synthetic, mask, ignore)
    expected = JensenShannon()(net(image), net(synthetic), mask, ignore).item()
    assert terms.posteriors.item() == pytest.approx(expected)
    total = terms.segmentation + 0.8 * terms.synthetic + 0.4 * terms.encoder + 0.6 * terms.posteriors
    torch.testing.assert_close(terms.total, total)
    features = (net[0](image), net[0](synthetic))
    combined = objective.combine(net(image), net(synthetic), mask, *features, ignore=ignore)
    torch.testing.assert_close(combined.total, terms.total)


@pytest.mark.parametrize(
    "loss",
    [
        ConsistencyLoss("l1", stop_gradient=True),
        ConsistencyLoss(weighting="class", stop_gradient=True),
        Standardised(ConsistencyLoss(stop_gradient=True)),
        Prototypes(stop_gradient=True),
        lambda f, g, mask: JensenShannon(stop_gradient=True)(f, g, mask[:, ::2, ::2]),
    ],
)
def test_stop_gradient_leaves_the_value_and_takes_the_real_sides_gradient(loss: Any) -> None:
    mask = labels()
    f, g = (x.requires_grad_() for x in pair())
    value = loss(f, g, mask)
    real, synthetic = torch.autograd.grad(value, (f, g), allow_unused=True)
    assert real is None or not real.any()
    assert synthetic.any()
    kind = getattr(loss, "distance", loss)
    if isinstance(kind, ConsistencyLoss | Prototypes):
        kind.stop_gradient = False
        fresh = Standardised(kind) if isinstance(loss, Standardised) else kind
        torch.testing.assert_close(fresh(f, g, mask), value)


def test_the_ramp_is_a_loop_over_steps() -> None:
    losses = [2.0, 1.7, 1.2, 0.9, 0.5, 0.4, 0.6, 0.3, 2.0, 0.2, 0.2, 0.2]
    ramp, running, passed = Ramp(steps=4, below=0.75), losses[0], 0
    for loss in losses:
        running = 0.9 * running + 0.1 * loss
        if passed or running < 0.75 * losses[0]:
            passed += 1
        factor = math.exp(-5 * (1 - min(passed / 4, 1)) ** 2) if passed else 0.0
        assert ramp(torch.tensor(loss)).item() == pytest.approx(factor)
        assert ramp.factor.item() == pytest.approx(factor)
    assert passed > 4


@pytest.mark.parametrize("form", FORMS)
def test_the_ramp_is_a_factor_of_all_agreements_and_goes_on_after_a_stop(form: Any) -> None:
    net, (image, synthetic, mask) = network(), batch()

    def objective() -> SemanticStacking:
        return SemanticStacking(
            nn.CrossEntropyLoss(), encoder=["0"], decoder=["2"], w_syn=0.8, alpha_enc=0.4, alpha_dec=0.3,
            alpha_js=0.2, ramp=Ramp(steps=3, below=2.0), forward_pass=form,
        )  # fmt: skip

    first, second = objective(), objective()
    for step in range(1, 5):
        terms = first.terms(net, image, synthetic, mask)
        factor = math.exp(-5 * (1 - min(step / 3, 1)) ** 2)
        total = terms.segmentation + 0.8 * terms.synthetic
        total = total + factor * (0.4 * terms.encoder + 0.3 * terms.decoder + 0.2 * terms.posteriors)
        torch.testing.assert_close(terms.total.detach(), total)
        second.load_state_dict(first.state_dict())
        with torch.no_grad():  # no step
            first(net, image, synthetic, mask)
    assert isinstance(second.ramp, Ramp)
    assert second.ramp.factor.item() == 1


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
def test_the_meter_sees_what_the_distance_compares_and_leaves_the_step_as_it_was(form: Any) -> None:
    net, (image, synthetic, mask) = network(), batch()
    ignore = disputed(size=(2, 4, 4))
    losses = []
    for collapse in (False, True):
        objective = SemanticStacking(
            nn.CrossEntropyLoss(),
            encoder=["0", "1"],
            decoder=["2"],
            consistency=Standardised(ConsistencyLoss()),
            forward_pass=form,
        )
        steps = [
            objective.terms(net, image, synthetic, mask, ignore, collapse=collapse),
            objective.terms(net, synthetic, image, mask, ignore),
        ]
        losses.append([terms.total for terms in steps])
    torch.testing.assert_close(losses[0], losses[1], rtol=0, atol=0)
    objective.consistency = Standardised(ConsistencyLoss())
    meter = objective.terms(net, image, synthetic, mask, ignore, collapse=True).collapse
    assert list(meter) == ["encoder", "decoder"]
    kept = (~ignore).double().flatten().tolist()
    found = []
    for end in (1, 2):
        views = net[:end](image), net[:end](synthetic)
        mean, variance = (torch.tensor(m).view(1, -1, 1, 1) for m in moments(views, kept))
        found.append(naive_meter(tuple((v - mean) / (variance + 1e-5).sqrt() for v in views), kept))  # type: ignore[arg-type]
    assert meter["encoder"].common == pytest.approx(0, abs=1e-6)
    assert meter["encoder"].rank == pytest.approx((found[0][1] + found[1][1]) / 2, rel=1e-5)


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
    exact = Prototypes()(f, g, mask), identity().combine(logits, logits, mask, f, g, collapse=True).collapse
    with torch.autocast("cpu", torch.bfloat16):
        mixed = (
            Prototypes()(f, g, mask),
            identity().combine(logits, logits, mask, f, g, collapse=True).collapse,
        )
    assert mixed == exact


def test_features_that_are_no_numbers_are_measured_as_none() -> None:
    logits, mask = torch.zeros(2, 3, 8, 10), torch.zeros(2, 8, 10, dtype=torch.long)
    f = torch.full((2, 3, 4, 5), math.nan)
    broken = identity().combine(logits, logits, mask, f, f, collapse=True).collapse["encoder"]
    assert all(map(math.isnan, broken))
