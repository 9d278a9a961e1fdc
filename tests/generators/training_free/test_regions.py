from __future__ import annotations

import numpy as np
import pytest

from s2s2.generators.training_free.pyramid import collapse
from s2s2.generators.training_free.regions import Anatomy, Labelled, cluster, dissect as dissect_labelled
from tests.drawn import draw_case


def case(classes: int = 3, channels: int = 3) -> tuple[np.ndarray, np.ndarray]:
    image, mask = draw_case(np.random.default_rng(3), (48, 64), classes=classes, channels=channels)
    image = image[..., None] if image.ndim == 2 else image
    return (image.transpose(2, 0, 1) / 255).astype(np.float32), mask


def dissect(image: np.ndarray, mask: np.ndarray, *, classes: int, tissues: int, levels: int) -> Anatomy:
    labelled = Labelled.of(mask, classes=classes, levels=levels)
    return dissect_labelled(image, mask, labelled, classes=classes, tissues=tissues)


@pytest.mark.parametrize(("classes", "tissues", "levels"), [(2, 1, 0), (2, 3, 3), (4, 2, 2)])
def test_weights_sum_to_one_and_bands_to_the_image(classes: int, tissues: int, levels: int) -> None:
    image, mask = case(classes)
    anatomy = dissect(image, mask, classes=classes, tissues=tissues, levels=levels)
    assert len(anatomy.bands) == len(anatomy.weights) == levels + 1
    for band, weights in zip(anatomy.bands, anatomy.weights, strict=True):
        assert weights.shape == (len(anatomy.regions), *band.shape[1:])
        np.testing.assert_allclose(weights.sum(axis=0), 1, atol=1e-5)
    np.testing.assert_allclose(collapse(anatomy.bands), image, atol=1e-5)
    assert anatomy.surround is None


def test_look_is_what_loops_give() -> None:
    image, mask = case()
    anatomy = dissect(image, mask, classes=3, tissues=2, levels=2)
    for level, (band, weights) in enumerate(zip(anatomy.bands, anatomy.weights, strict=True)):
        for row, region in enumerate(anatomy.regions):
            for channel in range(3):
                values, shares = band[channel].ravel(), weights[row].ravel().astype(float)
                mean = sum(s * v for s, v in zip(shares, values, strict=True)) / shares.sum()
                square = sum(s * (v - mean) ** 2 for s, v in zip(shares, values, strict=True)) / shares.sum()
                assert anatomy.style.mean[level, region, channel] == pytest.approx(mean, abs=1e-4)
                assert anatomy.style.spread[level, region, channel] == pytest.approx(square**0.5, abs=2e-3)
        np.testing.assert_allclose(anatomy.style.mean[level, -1], band.mean(axis=(1, 2)), atol=1e-4)


def test_a_mask_gives_one_share_a_class_and_the_rest() -> None:
    mask = np.zeros((9, 14), np.uint8)
    mask[2:6, 3:9] = 3
    labelled = Labelled.of(mask, classes=5, levels=2)
    assert labelled.classes == (2,)
    assert labelled.shares is not None
    assert [share.shape for share in labelled.shares] == [(1, 9, 14), (1, 5, 7), (1, 3, 4)]
    for share, rest in zip(labelled.shares, labelled.background, strict=True):
        np.testing.assert_allclose(share.sum(axis=0) + rest[0], 1, atol=1e-6)
    assert labelled.nbytes == 2 * 4 * (9 * 14 + 5 * 7 + 3 * 4)
    blank = Labelled.of(np.zeros((9, 14), np.uint8), classes=5, levels=2)
    assert (blank.classes, blank.shares) == ((), None)
    assert [rest.shape for rest in blank.background] == [(1, 9, 14), (1, 5, 7), (1, 3, 4)]
    assert all((rest == 1).all() for rest in blank.background)


def test_absent_classes_are_absent() -> None:
    image, mask = case(2)
    look = dissect(image, mask, classes=4, tissues=2, levels=2).style
    assert look.present.tolist() == [True, False, False, True, True, True]
    look = dissect(image, np.ones_like(mask), classes=2, tissues=2, levels=2).style
    assert look.present.tolist() == [True, False, False, True]


def test_what_is_hidden_is_not_measured() -> None:
    image, mask = case(2)
    framed = image.copy()
    framed[:, :, :12] = 0
    mask[:, :16] = 0
    bare = dissect(image[:, :, 16:], mask[:, 16:], classes=2, tissues=1, levels=1)
    anatomy = dissect(framed, mask, classes=2, tissues=1, levels=1)
    assert anatomy.surround is not None
    assert anatomy.surround[:, :10].min() > 0.9
    assert anatomy.surround[:, 20:].max() < 0.1
    np.testing.assert_allclose(anatomy.style.mean[-1, 1], bare.style.mean[-1, 1], atol=0.03)


def test_tissues_are_ordered_from_dark_to_bright() -> None:
    rng = np.random.default_rng(0)
    levels = np.array([0.7, 0.2, 0.5], np.float32)
    truth = rng.integers(0, 3, (20, 20))
    colours = np.stack([levels[truth], levels[truth] / 2]) + 0.01 * rng.standard_normal((2, 20, 20))
    found = cluster(colours.astype(np.float32), np.ones((20, 20), bool), 3)
    np.testing.assert_array_equal(found, np.array([2, 0, 1])[truth])


def test_too_few_pixels_are_one_tissue() -> None:
    inside = np.zeros((8, 8), bool)
    inside[0, :5] = True
    assert not cluster(np.random.default_rng(0).random((1, 8, 8), np.float32), inside, 3).any()
