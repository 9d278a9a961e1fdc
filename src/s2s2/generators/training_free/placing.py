"""Placement of a donor under a case: which donor, and how it is turned, scaled and shifted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from s2s2.core.types import Floats, Image, Indices, LabelMap, Region

Points = Floats

ORIENTATIONS: Points = np.array(
    [
        matrix
        for diagonal in (1.0, -1.0)
        for sign in (1.0, -1.0)
        for matrix in ([[diagonal, 0], [0, sign]], [[0, diagonal], [sign, 0]])
    ]
)
"""The eight rotations and mirrorings of a square, the identity first."""
GRID = 24
"""Side of the coarse map of a donor."""
FREE, HOLE, DARK, MISSING = 0, 1, 2, 3
"""Codes of its cells: tissue, the donor's own foreground, its dark surround, outside of it."""
FINALISTS = 16
"""How many candidates are compared on the coarse map."""


def lattice(shape: tuple[int, int], count: int) -> tuple[Indices, Indices]:
    """Return the rows and columns in the middle of `count` equal parts of each side."""
    rows, columns = (((np.arange(count) + 0.5) * length / count).astype(np.intp) for length in shape)
    return rows, columns


@dataclass(frozen=True, slots=True)
class Outline:
    """Where the foreground of an image lies, and what lies round it.

    Args:
        shape: Height and width in pixels.
        centre: Centroid of the foreground, or the image's centre where there is none.
        area: Pixels of the foreground.
        radius: Root mean square distance of the foreground from its centroid, in
            pixels; 0 where there is none.
        ground: Code of every cell of a coarse grid.
    """

    shape: tuple[int, int]
    centre: tuple[float, float]
    area: int
    radius: float
    ground: LabelMap

    @classmethod
    def of(cls, foreground: Region, hole: Region, hidden: Region) -> Outline:
        """Measure a foreground; `hole` is what is taken out of the image with it."""
        height, width = foreground.shape
        points = np.argwhere(foreground)
        middle, radius = np.array([height - 1, width - 1]) / 2, 0.0
        if len(points):
            middle = points.mean(axis=0)
            radius = max(0.5, float(np.sqrt(((points - middle) ** 2).sum(axis=1).mean())))
        ground = np.where(hidden, DARK, np.where(hole, HOLE, FREE)).astype(np.uint8)
        rows, columns = lattice((height, width), GRID)
        return cls(
            (height, width),
            (float(middle[0]), float(middle[1])),
            len(points),
            radius,
            ground[np.ix_(rows, columns)],
        )


@dataclass(frozen=True, slots=True)
class Placing:
    """A donor placed under a case: $q = c_q + s O (p - c_p)$ for donor points p.

    Args:
        donor: Position of the donor.
        turn: The orientation $O$, a signed permutation of the axes.
        scale: The scale $s$.
        source: Centre $c_p$ in the donor.
        target: Centre $c_q$ in the case.
    """

    donor: int
    turn: Points
    scale: float
    source: tuple[float, float]
    target: tuple[float, float]

    def warp(self, plate: Image, shape: tuple[int, int], outside: Image | None = None) -> Image:
        """Return the plate on the case's grid, cubic.

        Args:
            plate: The donor without its foreground.
            shape: Height and width of the case.
            outside: Colour of the donor's dark surround, which goes on outside of
                it; without one the donor is mirrored at its edges.

        Shape:
            - plate: (channel, height, width) of the donor.
            - outside: (channel,).
            - returns: (channel, *shape).
        """
        across = self.turn[0, 0] == 0
        if across:
            plate = np.ascontiguousarray(plate.transpose(0, 2, 1))
        centre = self.source[::-1] if across else self.source
        signs = (self.turn[0, 1], self.turn[1, 0]) if across else (self.turn[0, 0], self.turn[1, 1])
        rows, columns = (
            middle + sign * (np.arange(length) - target) / self.scale
            for middle, sign, length, target in zip(centre, signs, shape, self.target, strict=True)
        )
        ground = _along_columns(_along_rows(plate, rows), columns)
        if outside is not None:
            ground[:, _missing(rows, plate.shape[1])] = outside[:, None, None]
            ground[:, :, _missing(columns, plate.shape[2])] = outside[:, None, None]
        return ground


def choose(
    case: Outline,
    donors: list[Outline],
    positions: Indices,
    points: Points,
    zone: Indices,
    *,
    turns: Points,
    scales: tuple[float, float],
    noise: float,
    rng: np.random.Generator,
) -> Placing:
    """Return the donor and orientation whose foreground is most similar in position and size.

    Candidates are ranked by the distance of the two centroids (in units of the
    longer side) plus the log ratio of the two sizes plus noise. The best few are
    then compared on the coarse map, and what would show counts against them: a mask beyond
    the donor's field of view, holes that show, ground that is missing.

    Args:
        case: The case's own outline.
        donors: Outlines of all training cases.
        positions: Which of them may lend.
        points: Points (row, column) all over the case.
        zone: For each point 0 in the mask, 1 close round it, 2 elsewhere.
        turns: Orientations to choose from.
        scales: Range of the scale.
        noise: Standard deviation of what is added to a score.
        rng: Where all chance comes from.
    """
    shapes = np.array([donors[i].shape for i in positions], float)
    centres = np.array([donors[i].centre for i in positions])
    radii = np.array([donors[i].radius for i in positions])
    longer = max(case.shape)
    # Without a foreground on either side there is nothing to scale by.
    alike = (radii > 0) & (case.radius > 0)
    ideal = np.where(alike, case.radius / np.maximum(radii, 0.5), 1.0)
    scale = np.clip(ideal, *scales)
    offsets = np.einsum("oij,nj->noi", turns, centres - (shapes - 1) / 2)
    own = np.array(case.centre) - (np.array(case.shape) - 1) / 2
    distance = np.sqrt(((offsets - own) ** 2).sum(axis=-1)) / longer
    areas = np.array([max(1, donors[i].area) for i in positions])
    # Radius and area, since a scattered foreground is wide and still small.
    ratio = 0.5 * np.abs(np.log(ideal)) + 0.25 * np.abs(np.log(max(1, case.area) / areas))
    size = np.where(alike, ratio, radii / longer)
    # Noise by donor, for most of it: else the best of eight orientations hides it.
    score = distance + 0.5 * size[:, None] + noise * rng.standard_normal((len(positions), 1))
    score += noise / 3 * rng.standard_normal(distance.shape)
    best = np.argsort(score, axis=None, kind="stable")[:FINALISTS]
    placings = [
        Placing(int(positions[i]), turns[o], float(scale[i]), donors[positions[i]].centre, case.centre)
        for i, o in zip(*np.unravel_index(best, score.shape), strict=True)
    ]
    faults = [_faults(placing, donors[placing.donor], points, zone) for placing in placings]
    return placings[int(np.argmin(score.ravel()[best] + faults))]


def _faults(placing: Placing, donor: Outline, points: Points, zone: Indices) -> float:
    """Return what would be seen as wrong: shares of bad ground under, near and far from the mask."""
    counts = np.bincount(4 * zone + _ground(placing, donor, points), minlength=12).reshape(3, 4)
    inside, near, far = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    # Beyond a donor with a dark surround the surround goes on.
    framed = bool((donor.ground == DARK).any())
    dark = 4.0 * (inside[DARK] + framed * inside[MISSING]) + near[DARK] + framed * near[MISSING]
    return float(dark + near[HOLE] + far[HOLE] + far[MISSING])


def _ground(placing: Placing, donor: Outline, points: Points) -> LabelMap:
    """Return the donor's code under each point of the case."""
    source = (points - placing.target) @ placing.turn / placing.scale + placing.source
    cells = np.floor((source + 0.5) / donor.shape * GRID).astype(int)
    inside = ((cells >= 0) & (cells < GRID)).all(axis=1)
    cells = np.clip(cells, 0, GRID - 1)
    codes: LabelMap = donor.ground[cells[:, 0], cells[:, 1]]
    codes[~inside & (codes != DARK)] = MISSING
    return codes


def _missing(points: Points, length: int) -> Region:
    return (points < -0.5) | (points > length - 0.5)


def _taps(points: Points, length: int) -> list[tuple[Indices, Image]]:
    """Return the four neighbours of each point and their Catmull-Rom weights."""
    below = np.floor(points).astype(np.intp)
    t = points - below
    weights = (
        ((2 - t) * t - 1) * t / 2,
        ((3 * t - 5) * t * t + 2) / 2,
        ((4 - 3 * t) * t + 1) * t / 2,
        (t - 1) * t * t / 2,
    )
    period = 2 * length
    folded = [(below + step) % period for step in (-1, 0, 1, 2)]
    return [
        (np.minimum(index, period - 1 - index), weight.astype(np.float32))
        for index, weight in zip(folded, weights, strict=True)
    ]


def _along_rows(image: Image, points: Points) -> Image:
    parts = [image[:, index] * weight[:, None] for index, weight in _taps(points, image.shape[1])]
    return np.asarray(sum(parts[1:], parts[0]))


def _along_columns(image: Image, points: Points) -> Image:
    parts = [np.take(image, index, axis=2) * weight for index, weight in _taps(points, image.shape[2])]
    return np.asarray(sum(parts[1:], parts[0]))
