"""The arms' colours and marks: the same in every figure, told apart without colour too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ArmStyle:
    """How one arm is drawn.

    Args:
        name: The arm.
        light: Colour on a light ground, as CSS.
        dark: Colour on a dark ground, as CSS.
        mark: Shape of its points: circle, square, triangle, diamond or cross.
        dash: Dash pattern of its lines in pixels, empty for a solid line.
        variable: The CSS custom property that holds the colour.
    """

    name: str
    light: str
    dark: str
    mark: str
    dash: str
    variable: str


_KNOWN = {
    "baseline": ("#5d6873", "#aab4be", "circle", "5 3"),
    "duplicate": ("#b85c00", "#f0a34a", "square", "2 2"),
    "duplicate-consistency": ("#97417f", "#dc9bca", "triangle", "7 2 2 2"),
    "synthetic": ("#15795c", "#5ccaa7", "diamond", "9 3"),
    "s2s2": ("#0a5ea8", "#6bb5f2", "circle", ""),
}
_SPARE = (
    ("#7a6a00", "#d9c740", "cross", "1 2"),
    ("#a3352f", "#f0928c", "triangle", "4 4"),
    ("#4b4bb0", "#a9a9f5", "diamond", "3 1"),
)


def arm_styles(arms: Sequence[str]) -> dict[str, ArmStyle]:
    """Return the style of each arm; the five known arms always have their own.

    Args:
        arms: Names in the order of the report.

    Example:
        >>> arm_styles(["baseline", "s2s2"])["s2s2"].light
        '#0a5ea8'
        >>> arm_styles(["mine"])["mine"].mark
        'cross'
    """
    unknown = [arm for arm in arms if arm not in _KNOWN]
    looks = _KNOWN | {arm: _SPARE[index % len(_SPARE)] for index, arm in enumerate(unknown)}
    return {arm: ArmStyle(arm, *looks[arm], variable=f"--arm-{index}") for index, arm in enumerate(arms)}


_REAL = ("#5d6873", "#aab4be", "square", "5 3")
_PARTS = {
    "appearance": ("#00727d", "#52c4cf", "circle", ""),
    "composite": ("#6a4db5", "#b7a2f2", "diamond", "9 3"),
    "boxes": ("#5d7300", "#b3cc4a", "square", "2 2"),
    "diffusion": ("#b3305f", "#f28cb1", "triangle", "7 2 2 2"),
    "controlnet": ("#95590a", "#e3ab5b", "cross", "3 1"),
    "folder": ("#38558f", "#93b0ea", "diamond", "1 2"),
}

REAL = "real images"
"""The name under which real images stand beside the parts of a stack."""


def part_styles(parts: Sequence[str]) -> dict[str, ArmStyle]:
    """Return the style of real images and of each part of a stack; colours that no arm has.

    Args:
        parts: Names of the generators that made the copies.

    Example:
        >>> list(part_styles(["appearance", "diffusion"]))
        ['real images', 'appearance', 'diffusion']
        >>> part_styles(["composite+appearance"])["composite+appearance"].light
        '#00727d'
    """
    unknown = [part for part in parts if part not in _PARTS]
    spare = [looks for name, looks in _PARTS.items() if name not in parts] or list(_PARTS.values())
    looks = {REAL: _REAL} | _PARTS | {part: spare[index % len(spare)] for index, part in enumerate(unknown)}
    names = dict.fromkeys([REAL, *parts])
    return {
        name: ArmStyle(name, *looks[name], variable=f"--part-{index}") for index, name in enumerate(names)
    }


_MARKS = {
    "circle": "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0z",
    "square": "M-4.5-4.5h9v9h-9z",
    "triangle": "M0-5.5L5.5 4.5h-11z",
    "diamond": "M0-6L6 0L0 6L-6 0z",
    "cross": "M-5-2h3v-3h4v3h3v4h-3v3h-4v-3h-3z",
}


def mark_path(style: ArmStyle) -> str:
    """Return the SVG path of the arm's point, about 10 px wide round (0, 0)."""
    return _MARKS[style.mark]
