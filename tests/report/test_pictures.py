from __future__ import annotations

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from s2s2.pictures import painted
from s2s2.report.pictures import MOST_PIECES, OFF, data_uri, flat_uri, outline, outlines, simplified


def opened(uri: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.split(",")[1]))).convert("RGB"))


def area(path: str) -> float:
    """Shoelace area of the closed rings of a path."""
    total = 0.0
    for ring in re.findall(r"M([^Z]+)Z", path):
        x, y = np.array([[float(part) for part in point.split()] for point in ring.split("L")]).T
        total += abs(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))) / 2
    return total


def test_an_outline_encloses_the_region() -> None:
    rows, columns = np.mgrid[:120, :160]
    inside = (rows - 60) ** 2 + (columns - 70) ** 2 < 40**2
    assert area(outline(inside, (120, 160))) == pytest.approx(inside.sum(), rel=0.02)
    assert area(outline(inside, (60, 80))) == pytest.approx(inside.sum() / 4, rel=0.03)


def test_an_outline_is_closed_along_the_edge_of_the_image() -> None:
    inside = np.zeros((40, 40), bool)
    inside[:, 20:] = True
    assert area(outline(inside, (40, 40))) == pytest.approx(800, rel=0.03)


def test_every_class_has_its_outline() -> None:
    mask = np.zeros((40, 40), np.uint8)
    mask[4:12, 4:12] = 1
    mask[20:32, 20:32] = 2
    assert outlines(mask, (40, 40)).count("Z") == 2
    assert outlines(np.zeros((40, 40), np.uint8), (40, 40)) == ""


def test_a_region_in_very_many_pieces_stays_small() -> None:
    noise = np.random.default_rng(0).random((288, 288)) < 0.3
    noise[100:200, 100:200] = True
    path = outline(noise, (288, 288))
    assert path.count("Z") == MOST_PIECES
    assert len(path) < 100_000
    assert area(path) > 9_000


def test_uris_open_as_pictures() -> None:
    picture = np.full((6, 9, 3), 120, np.uint8)
    assert opened(data_uri(picture)).shape == (6, 9, 3)
    mask = np.array([[0, 1], [2, 1]], np.uint8)
    colours = ((0, 0, 0), (230, 159, 0), (86, 180, 233))
    assert np.array_equal(opened(flat_uri(painted(mask, colours, 8))), np.array(colours)[mask])


def distance(point: np.ndarray, start: np.ndarray, end: np.ndarray) -> float:
    """Distance of a point from a piece of line, by trying many points of it."""
    shares = np.linspace(0, 1, 2001)[:, None]
    return float(np.linalg.norm(start + shares * (end - start) - point, axis=1).min())


@pytest.mark.parametrize("seed", range(4))
def test_what_is_left_of_a_ring_lies_close_to_all_of_it(seed: int) -> None:
    rng = np.random.default_rng(seed)
    angles = np.linspace(0, 2 * np.pi, 80, endpoint=False)
    ring = np.stack([np.cos(angles), np.sin(angles)], 1) * rng.uniform(20, 22, (80, 1))
    left = simplified(ring)
    assert len(left) < len(ring)
    assert {tuple(point) for point in left} <= {tuple(point) for point in ring}
    pieces = list(zip(left, np.roll(left, -1, axis=0), strict=True))
    for point in ring:
        assert min(distance(point, *piece) for piece in pieces) <= OFF + 1e-3


def test_a_ring_that_is_one_point_stays() -> None:
    assert simplified(np.ones((4, 2))).tolist() == [[1.0, 1.0]]
