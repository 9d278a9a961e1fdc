"""The arms of an experiment: what each shows a network beside the real image.

Every arm runs through the same code and sees the same number of images a step;
they differ in the second view and in whether its features must agree. Only so can
a gain be told apart from the gain of more images or of more compute.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from s2s2.errors import ConfigError

View = Literal["stack", "real"]


@dataclass(frozen=True, slots=True)
class Arm:
    """One way to spend the images of a training step.

    Args:
        name: As on the command line.
        view: The second image of a pair: a copy from the stack, the real image
            seen a second time, or None where every image is another case.
        consistency: Whether the features of the two views must agree.
        summary: One sentence for people.
    """

    name: str
    view: View | None
    consistency: bool
    summary: str


ARMS: dict[str, Arm] = {
    arm.name: arm
    for arm in (
        Arm("baseline", None, False, "real images only, each of another case"),
        Arm("duplicate", "real", False, "each real image in two augmented views"),
        Arm("duplicate-consistency", "real", True, "two views of the real image, features asked to agree"),
        Arm("synthetic", "stack", False, "a real image and one copy of its stack"),
        Arm("s2s2", "stack", True, "a real image and one copy of its stack, features asked to agree"),
    )
}


def get_arm(name: str) -> Arm:
    """Return the arm of this name.

    Raises:
        ConfigError: If there is none.

    Example:
        >>> get_arm("s2s2").view
        'stack'
    """
    if name not in ARMS:
        raise ConfigError(f"There is no arm {name!r}. Choose from {', '.join(ARMS)}.")
    return ARMS[name]
