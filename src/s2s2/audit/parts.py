"""The generators whose copies make up a stack, each judged on its own."""

from __future__ import annotations

from dataclasses import dataclass

from s2s2.stack import Stack

TRAITS = {
    "exact": "its masks are right by construction, so no copy is marked as unfaithful",
    "geometry": "it keeps the geometry of the real image by design, so its copies are judged as "
    "memorised by the distance of features alone",
}
"""What a generator's promise means for the audit."""


@dataclass(frozen=True, slots=True)
class Part:
    """One generator of a stack.

    Args:
        traits: What it promises of its copies: keys of `TRAITS`.
        copies: Numbers of its copies, the same for every case.
    """

    traits: tuple[str, ...]
    copies: tuple[int, ...]


def parts_of(stack: Stack) -> dict[str, Part]:
    """Return the parts of a stack that made any copy, by name; a second of one name is numbered."""
    found: dict[str, Part] = {}
    for part in stack.parts:
        name, number = part["name"], 2
        while name in found:
            name, number = f"{part['name']} #{number}", number + 1
        if part["copies"]:
            found[name] = Part(tuple(part["traits"]), tuple(part["copies"]))
    return found
