from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from s2s2.objective.pixels import class_shares, kept_share, settled


def test_shares_of_classes_add_up() -> None:
    mask = torch.randint(3, (2, 8, 12))
    shares = class_shares(mask, torch.zeros(2, 4, 3))
    assert shares.shape == (3, 2, 4, 3)
    torch.testing.assert_close(shares.sum(0), torch.ones(2, 4, 3))


def test_what_is_ignored_belongs_to_no_class_and_is_not_kept() -> None:
    mask = torch.randint(3, (2, 8, 12))
    ignore = torch.rand(2, 8, 12) > 0.5
    shares = class_shares(mask, torch.zeros(2, 4, 3), ignore)
    torch.testing.assert_close(shares.sum(0), kept_share(ignore, torch.zeros(2, 4, 3)))


def test_features_without_places_are_kept_whole() -> None:
    pooled = torch.zeros(2, 7)
    assert kept_share(torch.ones(2, 4, 4, dtype=torch.bool), pooled).eq(1).all()


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_an_ignored_pixel_costs_nothing_and_pulls_nothing(channels: int) -> None:
    logits = torch.randn(2, channels, 4, 4, requires_grad=True)
    mask = torch.randint(max(2, channels), (2, 4, 4))
    ignore = torch.zeros(2, 4, 4, dtype=torch.bool)
    ignore[0] = True
    rest = settled(logits, mask, ignore)
    if channels == 1:
        loss = F.binary_cross_entropy_with_logits(rest[:, 0], mask.float(), reduction="none")
    else:
        loss = F.cross_entropy(rest, mask, reduction="none")
    assert loss[0].max() < 1e-9
    (gradient,) = torch.autograd.grad(loss.sum(), logits)
    assert not gradient[0].any()
    assert gradient[1].any()


def test_nothing_ignored_gives_the_very_logits() -> None:
    logits = torch.randn(1, 2, 4, 4)
    assert settled(logits, torch.zeros(1, 4, 4, dtype=torch.long), None) is logits
