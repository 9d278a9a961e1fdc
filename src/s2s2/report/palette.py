"""Colours and marks of arms and generators: the same in every figure, and different without colour too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from s2s2.arms import Style, arm_of

REAL = "real images"
"""The name under which real images stand beside the generators of a stack."""
WHOLE = "all copies"
"""The name under which the copies of all generators stand together."""

_SPARE = (
    Style("#7a6a00", "#d9c740", "cross", "1 2"),
    Style("#a3352f", "#f0928c", "triangle", "4 4"),
    Style("#4b4bb0", "#a9a9f5", "diamond", "3 1"),
)
_BESIDE = {
    REAL: Style("#5d6873", "#aab4be", "square", "5 3"),
    WHOLE: Style("#1d2126", "#e4e6e3", "circle", ""),
}
_GENERATORS = {
    "appearance": Style("#00727d", "#52c4cf", "circle", ""),
    "composite": Style("#6a4db5", "#b7a2f2", "diamond", "9 3"),
    "boxes": Style("#5d7300", "#b3cc4a", "square", "2 2"),
    "diffusion": Style("#b3305f", "#f28cb1", "triangle", "7 2 2 2"),
    "controlnet": Style("#95590a", "#e3ab5b", "cross", "3 1"),
    "folder": Style("#38558f", "#93b0ea", "diamond", "1 2"),
}
_MARKS = {
    "circle": "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0z",
    "square": "M-4.5-4.5h9v9h-9z",
    "triangle": "M0-5.5L5.5 4.5h-11z",
    "diamond": "M0-6L6 0L0 6L-6 0z",
    "cross": "M-5-2h3v-3h4v3h3v4h-3v3h-4v-3h-3z",
}


@dataclass(frozen=True, slots=True)
class ArmStyle(Style):
    """How one arm or generator is drawn on a page.

    Args:
        name: Of the arm or generator.
        variable: The CSS custom property that holds its colour.
    """

    name: str
    variable: str


def arm_styles(arms: Sequence[str]) -> dict[str, ArmStyle]:
    """Return the style of each arm: its own, or one that no known arm has.

    Args:
        arms: Names in the order of the report.

    Example:
        >>> arm_styles(["baseline", "s2s2"])["s2s2"].light
        '#0a5ea8'
        >>> arm_styles(["mine"])["mine"].mark
        'cross'
    """
    known = {arm: style for arm in arms if (style := arm_of(arm).style) is not None}
    return _styles(arms, known, _SPARE, "--arm")


def generator_styles(generators: Sequence[str]) -> dict[str, ArmStyle]:
    """Return the style of real images, of each generator and of all copies; colours that no arm has.

    Args:
        generators: Names of the generators that made the copies.

    Example:
        >>> list(generator_styles(["appearance", "diffusion"]))
        ['real images', 'appearance', 'diffusion', 'all copies']
        >>> generator_styles(["composite+appearance"])["composite+appearance"].light
        '#00727d'
    """
    names = [REAL, *dict.fromkeys(generators), WHOLE]
    spare = [style for name, style in _GENERATORS.items() if name not in names]
    return _styles(names, _BESIDE | _GENERATORS, spare or list(_GENERATORS.values()), "--part")


def _styles(
    names: Sequence[str], known: Mapping[str, Style], spare: Sequence[Style], prefix: str
) -> dict[str, ArmStyle]:
    unknown = [name for name in names if name not in known]
    styles = {**known, **{name: spare[index % len(spare)] for index, name in enumerate(unknown)}}

    def named(name: str, index: int) -> ArmStyle:
        style = styles[name]
        return ArmStyle(style.light, style.dark, style.mark, style.dash, name, f"{prefix}-{index}")

    return {name: named(name, index) for index, name in enumerate(names)}


def mark_path(style: ArmStyle) -> str:
    """Return the SVG path of the arm's point, about 10 px wide round (0, 0)."""
    return _MARKS[style.mark]
