"""The arms of an experiment, and all that is known of each.

Every arm runs through the same code and sees the same number of images a step;
they differ in the second view and in whether its features must agree. Only so can
a gain be separated from the gain of more images or of more compute.

A new arm is one entry of `ARMS`:

    ARMS["mine"] = Arm("mine", view="stack", consistency=False, summary="what a step shows")
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from s2s2.errors import ConfigError

View = Literal["stack", "real"]
Mark = Literal["circle", "square", "triangle", "diamond", "cross"]

REFERENCE = "baseline"
"""The arm that all others are compared with, where it was trained."""


@dataclass(frozen=True, slots=True)
class Style:
    """How a line and its points are drawn, so that they differ without colour too.

    Args:
        light: Colour on a light ground, as CSS.
        dark: Colour on a dark ground, as CSS.
        mark: Shape of the points.
        dash: Dash pattern of the line in pixels, empty for a solid line.
    """

    light: str
    dark: str
    mark: Mark
    dash: str


@dataclass(frozen=True, slots=True)
class Arm:
    """One way to spend the images of a training step.

    Args:
        name: As on the command line.
        view: What a step shows beside real images: copies from the stack, the same
            real images a second time, or None where every image is another case.
        consistency: Whether the features of the two views must agree.
        summary: One sentence for people.
        order: Place in tables and figures: controls first; the report is about the last arm.
        style: In figures; None takes one that no other arm has.
        controls: The arms, beside the baseline, whose difference to this one shows what it
            adds, each with a sentence on what a gain over it shows.
        generator: What the stack of this arm is made with; None takes the run's.
        paired: Whether the two images of one mask go through the network in one step. If not,
            every image is of another case, and half of them by chance are shown as the view.
        slaug: Whether the real image is shown by SLAug: its global location-scale view first, then that
            view fused with the local one, which takes the real image's place beside the view.
    """

    name: str
    view: View | None
    consistency: bool
    summary: str
    order: int = 50
    style: Style | None = None
    controls: Mapping[str, str] = field(default_factory=dict)
    generator: str | None = None
    paired: bool = True
    slaug: bool = False

    @property
    def pairs(self) -> bool:
        """Whether a step shows the second view beside the real image of its mask."""
        return self.view is not None and self.paired

    @property
    def views(self) -> int:
        """How many images of each case go through the network in a step."""
        return 1 + self.pairs + self.slaug


ARMS: dict[str, Arm] = {
    arm.name: arm
    for arm in (
        Arm(
            "baseline",
            view=None,
            consistency=False,
            summary="real images only, each of another case",
            order=0,
            style=Style("#5d6873", "#aab4be", "circle", "5 3"),
        ),
        Arm(
            "duplicate",
            view="real",
            consistency=False,
            summary="each real image in two augmented views",
            order=10,
            style=Style("#b85c00", "#f0a34a", "square", "2 2"),
        ),
        Arm(
            "duplicate-consistency",
            view="real",
            consistency=True,
            summary="two views of the real image, features asked to agree",
            order=20,
            style=Style("#97417f", "#dc9bca", "triangle", "7 2 2 2"),
        ),
        Arm(
            "augmented",
            view="stack",
            consistency=False,
            summary="images each of another case, half of them replaced by one copy of their stack: the "
            "same styles as a plain augmentation",
            order=25,
            style=Style("#8a6d00", "#d8bd4a", "cross", "4 2"),
            paired=False,
        ),
        Arm(
            "synthetic",
            view="stack",
            consistency=False,
            summary="a real image and one copy of its stack",
            order=30,
            style=Style("#15795c", "#5ccaa7", "diamond", "9 3"),
        ),
        Arm(
            "slaug",
            view=None,
            consistency=False,
            summary="SLAug, without a stack: two location-scale views of each real image, the second "
            "fused by saliency",
            order=35,
            style=Style("#527a0a", "#a9d05a", "square", "1 3"),
            slaug=True,
        ),
        Arm(
            "slaug+s2s2",
            view="stack",
            consistency=True,
            summary="the two views of SLAug and one copy of the stack, features of the copy and the fused "
            "view asked to agree",
            order=90,
            style=Style("#6b2fb3", "#c09af0", "triangle", "12 3"),
            controls={
                "slaug": "The slaug arm sees the same location-scale views and no copy, so a gain over it is "
                "what the copies and their consistency add to SLAug.",
            },
            slaug=True,
        ),
        Arm(
            "s2s2",
            view="stack",
            consistency=True,
            summary="a real image and one copy of its stack, features asked to agree",
            order=100,
            style=Style("#0a5ea8", "#6bb5f2", "circle", ""),
            controls={
                "duplicate": "The duplicate arm sees the same real images twice and no copy, so a gain over "
                "it is what the copies and their consistency add.",
                "augmented": "The augmented arm sees as many copies, none beside its real image, so a gain "
                "over it is what pairs and consistency add to the same styles.",
            },
        ),
    )
}
"""Every arm that can be trained, by its name."""


def get_arm(name: str) -> Arm:
    """Return the arm of this name, `ARM` or, with a stack of its own, `ARM@GENERATOR`.

    An arm with a stack of its own is compared with the baseline alone.

    Raises:
        ConfigError: If there is none, or an arm without a stack is given a generator.

    Example:
        >>> get_arm("s2s2").view
        'stack'
        >>> get_arm("s2s2@appearance").generator
        'appearance'
    """
    base, at, generator = name.partition("@")
    if base not in ARMS:
        raise ConfigError(f"There is no arm {base!r}. Choose from {', '.join(ARMS)}.")
    arm = ARMS[base]
    if not at:
        return arm
    if arm.view != "stack" or not generator:
        stacked = [each.name for each in ARMS.values() if each.view == "stack"]
        raise ConfigError(
            f"Arm {name!r} cannot be: a generator after '@' goes with {', '.join(stacked[:-1])} or "
            f"{stacked[-1]}, such as '{stacked[-1]}@appearance'."
        )
    summary = f"{arm.summary} ({generator})"
    return replace(arm, name=name, generator=generator, summary=summary, controls={}, style=None)


def arm_of(name: str) -> Arm:
    """Return the arm of a table: as `get_arm`, or one of which nothing else is known.

    Example:
        >>> arm_of("elsewhere").summary
        'an arm of your own'
    """
    try:
        return get_arm(name)
    except ConfigError:
        return Arm(name, view=None, consistency=False, summary="an arm of your own")


def in_order(names: Iterable[str]) -> tuple[str, ...]:
    """Return arms controls first; those with a stack of their own before the same arm with the run's.

    Example:
        >>> in_order(["s2s2", "s2s2@appearance", "mine", "baseline"])
        ('baseline', 'mine', 's2s2@appearance', 's2s2')
    """
    return tuple(sorted(dict.fromkeys(names), key=lambda name: (arm_of(name).order, "@" not in name)))


def reference_of(names: Iterable[str]) -> str:
    """Return the arm that the others are compared with: the baseline, or else the first control.

    Example:
        >>> reference_of(["s2s2", "duplicate"])
        'duplicate'
    """
    found = in_order(names)
    return REFERENCE if REFERENCE in found else found[0]


def pairs_of(names: Iterable[str], reference: str) -> list[tuple[str, str]]:
    """Return what is compared with what: every arm with the reference, then some with their control.

    Example:
        >>> pairs_of(["baseline", "duplicate", "s2s2"], "baseline")
        [('duplicate', 'baseline'), ('s2s2', 'baseline'), ('s2s2', 'duplicate')]
    """
    names = list(names)
    pairs = [(name, reference) for name in names if name != reference and reference in names]
    controls = [(name, other) for name in names for other in arm_of(name).controls]
    return pairs + [(name, other) for name, other in controls if other in names and other != reference]
