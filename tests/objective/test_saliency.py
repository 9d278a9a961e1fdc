"""Saliency against loops over pixels and cells."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from s2s2.errors import ConfigError
from s2s2.objective.saliency import fuse, saliency


def beta(t: float) -> float:
    """The quadratic B-spline."""
    t = abs(t)
    return 0.75 - t * t if t <= 0.5 else (1.5 - t) ** 2 / 2 if t <= 1.5 else 0.0


def cell_mean(norm: Tensor, grid: int, row: int, column: int) -> float:
    """Mean over a cell by 60 points a pixel along each axis, so that shares of pixels count."""
    height, width = norm.shape
    rows = [(row + (i + 0.5) / 60) * height / grid for i in range(60)]
    columns = [(column + (i + 0.5) / 60) * width / grid for i in range(60)]
    return sum(float(norm[int(y), int(x)]) for y in rows for x in columns) / 3600


def naive(gradient: Tensor, grid: int) -> Tensor:
    """The saliency of one image, pixel by pixel."""
    channels, height, width = gradient.shape
    norm = torch.zeros(height, width, dtype=torch.float64)
    for y in range(height):
        for x in range(width):
            norm[y, x] = math.sqrt(sum(float(gradient[c, y, x]) ** 2 for c in range(channels)))
    cells = [[cell_mean(norm, grid, i, j) for j in range(grid)] for i in range(grid)]
    smooth = torch.zeros(height, width, dtype=torch.float64)
    for y in range(height):
        for x in range(width):
            up, along = (y + 0.5) * grid / height - 0.5, (x + 0.5) * grid / width - 0.5
            for i in range(-1, grid + 1):
                for j in range(-1, grid + 1):
                    c = cells[min(max(i, 0), grid - 1)][min(max(j, 0), grid - 1)]
                    smooth[y, x] += c * beta(up - i) * beta(along - j)
    return (smooth - smooth.min()) / (smooth.max() - smooth.min())


@pytest.mark.parametrize(("shape", "grid"), [((6, 6), 3), ((6, 10), 2), ((5, 4), 5), ((2, 3), 3)])
def test_saliency_equals_loops_over_pixels_and_cells(shape: tuple[int, int], grid: int) -> None:
    gradient = torch.randn(2, 3, *shape, generator=torch.Generator().manual_seed(grid), dtype=torch.float64)
    found = saliency(gradient, grid)
    assert found.shape == (2, 1, *shape)
    for image, expected in enumerate(gradient):
        torch.testing.assert_close(found[image, 0], naive(expected, grid), atol=2e-2, rtol=0)


def test_the_spline_is_three_boxes_convolved() -> None:
    box = np.ones(1000)
    curve = np.convolve(np.convolve(box, box), box) / 1e6
    for place in (0.0, 0.2, 0.5, 0.9, 1.3):
        assert float(curve[round(1500 + 1000 * place) - 1]) == pytest.approx(beta(place), abs=2e-3)


def test_a_large_gradient_is_salient_where_it_is_and_its_scale_does_not_matter() -> None:
    gradient = torch.full((1, 1, 12, 12), 1e-9)
    gradient[..., 8:, :4] = 1e-6
    found = saliency(gradient, 3)[0, 0]
    assert found[-1, 0] == 1
    assert found[0, -1] < 1e-6
    torch.testing.assert_close(saliency(gradient * 2**16, 3)[0, 0], found)


@pytest.mark.parametrize("value", [0.0, 0.3, math.inf, math.nan])
def test_without_a_finite_difference_the_global_view_is_kept(value: float) -> None:
    gradient = torch.full((2, 3, 8, 12), value)
    gradient[1] = torch.rand(3, 8, 12)
    found = saliency(gradient, 3)
    assert (found[0] == 1).all()
    assert found[1].min() == 0  # each image by itself
    assert (saliency(gradient, 1) == 1).all()


def test_half_precision_and_volumes() -> None:
    gradient = torch.rand(2, 3, 12, 8)
    with torch.autocast("cpu", torch.bfloat16):
        found = saliency(gradient, 3)
    torch.testing.assert_close(found, saliency(gradient, 3))
    assert saliency(gradient.half(), 3).dtype == torch.float32
    flat = torch.rand(1, 2, 6, 1, 9)
    torch.testing.assert_close(saliency(flat, 3)[..., 0, :], saliency(flat[..., 0, :], 3))


def test_no_cells_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"grid is 0\. Expected a number of cells"):
        saliency(torch.rand(1, 1, 4, 4), 0)


def test_fusing_weighs_every_pixel_and_carries_no_gradient() -> None:
    image, local = torch.rand(2, 2, 3, 4, 5, requires_grad=True).unbind()
    weight = torch.rand(2, 1, 4, 5)
    fused = fuse(image, local, weight)
    assert not fused.requires_grad
    image, local = image.detach(), local.detach()
    for b, c, y, x in torch.cartesian_prod(*map(torch.arange, (2, 3, 4, 5))).tolist():
        s = float(weight[b, 0, y, x])
        expected = s * float(image[b, c, y, x]) + (1 - s) * float(local[b, c, y, x])
        assert float(fused[b, c, y, x]) == pytest.approx(expected, abs=1e-6)
