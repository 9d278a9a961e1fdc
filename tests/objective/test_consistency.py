from __future__ import annotations

import pytest
import torch

from s2s2.errors import ConfigError, ShapeError
from s2s2.objective import ConsistencyLoss
from s2s2.objective.consistency import DISTANCES

F, G = torch.rand(2, 3, 5, 4, 4).unbind()


@pytest.mark.parametrize("distance", DISTANCES)
def test_the_same_features_are_at_no_distance(distance: str) -> None:
    assert ConsistencyLoss(distance)(F, F).item() == pytest.approx(0, abs=1e-6)  # type: ignore[arg-type]


@pytest.mark.parametrize("distance", ["cosine", "angular", "l2"])
def test_length_does_not_count(distance: str) -> None:
    loss = ConsistencyLoss(distance)  # type: ignore[arg-type]
    torch.testing.assert_close(loss(F, G), loss(3 * F, G / 7))


@pytest.mark.parametrize(("distance", "opposite"), [("cosine", 2), ("angular", 1), ("l2", 2), ("l1", 6)])
def test_opposite_features_are_at_the_largest_distance(distance: str, opposite: float) -> None:
    f = torch.full((1, 4, 2, 2), 3.0)
    assert ConsistencyLoss(distance)(f, -f).item() == pytest.approx(opposite)  # type: ignore[arg-type]


@pytest.mark.parametrize(("distance", "orthogonal"), [("cosine", 1), ("angular", 0.5)])
def test_a_zero_vector_counts_as_orthogonal(distance: str, orthogonal: float) -> None:
    loss = ConsistencyLoss(distance)  # type: ignore[arg-type]
    assert loss(F, torch.zeros_like(F)).item() == pytest.approx(orthogonal)


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_gradients_stay_finite_where_both_agree(distance: str, value: float) -> None:
    f = torch.full((1, 3, 2, 2), value, requires_grad=True)
    g = torch.full((1, 3, 2, 2), value, requires_grad=True)
    ConsistencyLoss(distance)(f, g).backward()  # type: ignore[arg-type]
    assert f.grad is not None
    assert g.grad is not None
    assert torch.isfinite(f.grad).all()
    assert torch.isfinite(g.grad).all()


def test_gradients_reach_both_sides() -> None:
    f, g = F.clone().requires_grad_(), G.clone().requires_grad_()
    ConsistencyLoss()(f, g).backward()
    assert f.grad is not None
    assert g.grad is not None
    assert f.grad.abs().sum() > 0
    assert g.grad.abs().sum() > 0


@pytest.mark.parametrize("distance", DISTANCES)
def test_tokens_and_maps_agree(distance: str) -> None:
    tokens = [x.flatten(2).transpose(1, 2) for x in (F, G)]
    maps = ConsistencyLoss(distance)(F, G)  # type: ignore[arg-type]
    torch.testing.assert_close(ConsistencyLoss(distance)(*tokens), maps)  # type: ignore[arg-type]
    torch.testing.assert_close(ConsistencyLoss(distance, channel_dim=-1)(*tokens), maps)  # type: ignore[arg-type]


def test_channels_last_maps_need_their_axis_named() -> None:
    last = [x.movedim(1, -1) for x in (F, G)]
    torch.testing.assert_close(ConsistencyLoss(channel_dim=-1)(*last), ConsistencyLoss()(F, G))


def test_half_precision_does_not_overflow() -> None:
    f = torch.full((1, 2048, 1, 1), 200.0, dtype=torch.float16)
    assert ConsistencyLoss()(f, f).item() == pytest.approx(0, abs=1e-6)


def test_weighting_reads_tokens_as_a_grid() -> None:
    f, g = torch.rand(2, 3, 5, 4, 8).unbind()
    mask = (torch.rand(3, 16, 32) > 0.7).long()
    tokens = [x.flatten(2).transpose(1, 2) for x in (f, g)]
    loss = ConsistencyLoss(weighting="class")
    torch.testing.assert_close(loss(*tokens, mask), loss(f, g, mask))


def test_weighting_works_on_volumes() -> None:
    f, g = torch.rand(2, 1, 5, 2, 4, 4).unbind()
    mask = torch.zeros(1, 4, 8, 8, dtype=torch.long)
    torch.testing.assert_close(ConsistencyLoss(weighting="class")(f, g, mask), ConsistencyLoss()(f, g))


def test_refuses_features_of_two_shapes() -> None:
    message = (
        r"must have one shape, got \(2, 3, 4, 4\) and \(2, 3, 4, 5\)\. Give the two images the same size"
    )
    with pytest.raises(ShapeError, match=message):
        ConsistencyLoss()(torch.zeros(2, 3, 4, 4), torch.zeros(2, 3, 4, 5))


def test_refuses_an_axis_that_is_not_there() -> None:
    with pytest.raises(ShapeError, match=r"channel_dim is 4, but the features have shape \(3, 5, 4, 4\)"):
        ConsistencyLoss(channel_dim=4)(F, G)


def test_refuses_weighting_without_a_mask() -> None:
    with pytest.raises(ConfigError, match=r"needs the mask. Call the loss as loss\(real, synthetic, mask\)"):
        ConsistencyLoss(weighting="class")(F, G)


def test_refuses_a_mask_of_another_batch() -> None:
    with pytest.raises(ShapeError, match=r"grid \(3, 4, 4\) do not fit masks of shape \(2, 8, 8\)"):
        ConsistencyLoss(weighting="class")(F, G, torch.zeros(2, 8, 8, dtype=torch.long))


def test_refuses_tokens_that_are_no_grid() -> None:
    tokens = torch.rand(2, 17, 5)
    with pytest.raises(ShapeError, match="17 tokens do not form a grid"):
        ConsistencyLoss(weighting="class")(tokens, tokens, torch.zeros(2, 8, 8, dtype=torch.long))


def test_refuses_unknown_options() -> None:
    with pytest.raises(ConfigError, match=r"distance is 'euclid'. Expected one of cosine, angular, l1, l2"):
        ConsistencyLoss("euclid")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="weighting is 'size'"):
        ConsistencyLoss(weighting="size")  # type: ignore[arg-type]
