"""The encoder's distance against naive loops, and the order that it puts changes into."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch
from torch.nn import functional

from s2s2.audit.features import GRID, Features, distances
from s2s2.core.streams import stream
from s2s2.networks.normalisation import default_normalisation
from s2s2.networks.unet import Encoder
from tests.audit.made import redraw, stored


@cache
def features() -> Features:
    return Features(3, 64, 4)


def drawn(number: int, side: int = 64) -> np.ndarray:
    mask = np.zeros((side, side), np.uint8)
    mask[10 + number : 30 + number, 12:40] = 1
    return redraw(mask, stream(number, "test"), 3)


def test_the_distance_is_what_naive_loops_give() -> None:
    images = np.stack([drawn(0), drawn(5)])
    encoder = Encoder(3, pretrained=True).eval()
    with torch.no_grad():
        stages = encoder(default_normalisation(3)(torch.from_numpy(images)))
    total = 0.0
    for stage in stages:
        unit = stage / stage.norm(dim=1, keepdim=True)
        positions = functional.adaptive_avg_pool2d(unit, min(GRID, stage.shape[-1])).double().numpy()
        squares = [
            sum(
                (a - b) ** 2
                for a, b in zip(positions[0, :, row, column], positions[1, :, row, column], strict=True)
            )
            for row in range(positions.shape[2])
            for column in range(positions.shape[3])
        ]
        total += sum(squares) / len(squares) / len(stages)
    seen = features()(images)
    assert distances(seen.descriptor[:1], seen.descriptor[1:])[0, 0] == pytest.approx(total**0.5, abs=1e-5)


def test_the_pooled_features_are_the_mean_of_the_last_stage() -> None:
    images = drawn(0)[None]
    with torch.no_grad():
        last = Encoder(3, pretrained=True).eval()(default_normalisation(3)(torch.from_numpy(images)))[-1]
    assert features()(images).pooled[0] == pytest.approx(last[0].mean((1, 2)).numpy(), abs=1e-4)


def test_an_image_saved_again_is_nearer_than_another_of_its_mask() -> None:
    own = drawn(3)
    again = redraw((own.mean(0) > 0.5).astype(np.uint8), stream(99, "test"), 3)
    seen = features()(np.stack([own, stored(own), again]))
    near = distances(seen.descriptor[:1], seen.descriptor)[0]
    assert near[0] == 0
    assert near[1] < 0.5 * near[2]


def test_a_batch_changes_nothing_but_the_speed() -> None:
    images = np.stack([drawn(number) for number in range(5)])
    alone = np.concatenate([features()(image[None]).descriptor for image in images])
    assert features()(images).descriptor == pytest.approx(alone, abs=1e-5)


def test_small_grey_images_of_any_shape() -> None:
    seen = Features(1, 32, 2)(np.random.default_rng(0).random((3, 1, 17, 40), dtype=np.float32))
    assert seen.descriptor.shape[0] == seen.pooled.shape[0] == 3
    assert np.isfinite(seen.descriptor).all()


def test_distances_are_what_naive_loops_give() -> None:
    rng = np.random.default_rng(0)
    left, right = (
        rng.standard_normal((4, 6)).astype(np.float32),
        rng.standard_normal((3, 6)).astype(np.float32),
    )
    expected = [[float(np.sqrt(((a - b) ** 2).sum())) for b in right] for a in left]
    assert distances(left, right) == pytest.approx(np.array(expected), abs=1e-5)
    assert distances(left, left + np.float32(1e-4)).diagonal() == pytest.approx(1e-4 * 6**0.5, rel=1e-2)
