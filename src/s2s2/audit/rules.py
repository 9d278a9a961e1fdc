"""Audit rules: thresholds that real images set, and the copies that they mark, by generator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from s2s2.audit.config import AuditConfig
from s2s2.audit.fidelity import FidelityRule
from s2s2.audit.measure import Measured
from s2s2.audit.memorisation import MemorisationRule
from s2s2.audit.reference import Reference
from s2s2.stack import Stack


@dataclass(frozen=True, slots=True)
class Part:
    """One generator of a stack.

    Args:
        traits: What it promises of its copies. "exact": its masks are right by construction, so no
            copy is marked as unfaithful. "geometry": it keeps the geometry of the real image by
            design, so whether its copies are memorised is decided by their distance alone.
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


@dataclass(frozen=True)
class Rules:
    """The two rules.

    Args:
        fidelity: Which copies do not show their masks.
        memorisation: Which copies are nearly a training image.
    """

    fidelity: FidelityRule
    memorisation: MemorisationRule

    @classmethod
    def fit(cls, reference: Reference, config: AuditConfig) -> Rules:
        """Set both by the real training images."""
        return cls(
            FidelityRule.fit(reference.readings, config.quantile),
            MemorisationRule.fit(
                reference.neighbours.ratio, reference.relighted, reference.saved, config.ratio_quantile
            ),
        )

    def to_dict(self) -> dict[str, float]:
        """Return the four thresholds."""
        return {
            "drop": self.fidelity.drop,
            "agreement": self.fidelity.agreement,
            "ratio": self.memorisation.ratio,
            "duplicate": self.memorisation.duplicate,
        }

    def power(self, reference: Reference) -> float:
        """Return the share of wrong masks that would be marked, as those of other groups' images are."""
        return float(self.fidelity.unfaithful(reference.wrong, reference.expected[:, None]).mean())

    def marks(
        self, measured: Measured, expected: float, parts: Mapping[str, Part]
    ) -> dict[int, tuple[str, ...]]:
        """Return the reasons against each copy of a case that has any.

        Args:
            measured: Of its copies.
            expected: Mean agreement of the readings of its held-out real image.
            parts: The generators that made the copies.
        """
        wrong = self.fidelity.unfaithful(measured.mean, expected)
        found: dict[int, tuple[str, ...]] = {}
        for part in parts.values():
            known = self.memorisation.memorised(
                measured.first,
                measured.second,
                excused=(measured.own == measured.first) & ("geometry" in part.traits),
            )
            for number in part.copies:
                reasons: tuple[str, ...] = (
                    ("unfaithful",) if wrong[number] and "exact" not in part.traits else ()
                )
                reasons += ("memorised",) if known[number] else ()
                if reasons:
                    found[number] = reasons
        return dict(sorted(found.items()))
