"""The arms of an experiment: what each shows a network beside the real image.

Every arm runs through the same code and sees the same number of images a step;
they differ in the second view and in whether its features must agree. Only so can
a gain be told apart from the gain of more images or of more compute.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
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
        generator: What the stack of this arm is made with; None takes the run's.
    """

    name: str
    view: View | None
    consistency: bool
    summary: str
    generator: str | None = None


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
    """Return the arm of this name, `ARM` or, with a stack of its own, `ARM@GENERATOR`.

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
    if not at:
        return ARMS[base]
    if ARMS[base].view != "stack" or not generator:
        stacked = [arm.name for arm in ARMS.values() if arm.view == "stack"]
        raise ConfigError(
            f"Arm {name!r} cannot be: a generator after '@' goes with {' or '.join(stacked)}, such as "
            f"'{stacked[-1]}@appearance'."
        )
    return replace(ARMS[base], name=name, generator=generator, summary=f"{ARMS[base].summary} ({generator})")
