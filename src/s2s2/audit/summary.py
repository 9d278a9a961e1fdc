"""Summary statistics of an audit: real images, each generator's copies, and all copies together."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from s2s2.audit.config import AuditConfig
from s2s2.audit.dispersion import scatter
from s2s2.audit.distribution import Sample, fid, kid
from s2s2.audit.measure import Measured
from s2s2.audit.reference import Reference
from s2s2.audit.rules import Part, Rules
from s2s2.core.types import Floats, Vectors
from s2s2.stack.marks import REASONS, Marks
from s2s2.statistics import ClusterBootstrap, json_number


@dataclass(frozen=True)
class Findings:
    """All that was measured on a stack.

    Args:
        reference: The real training images.
        measured: The copies of each case, in the order of the reference.
        marks: Copies with a reason against them.
        scatter: Of real images of masks similar to each case's, and how many they are.
        rules: The thresholds.
        classes: Names of the foreground classes.
    """

    reference: Reference
    measured: Sequence[Measured]
    marks: Marks
    scatter: Sequence[tuple[float, int]]
    rules: Rules
    classes: tuple[str, ...]


def summarise(findings: Findings, parts: Mapping[str, Part], config: AuditConfig) -> dict[str, Any]:
    """Return the statistics "real", "whole" and "parts", ready for JSON."""
    summary = _Summary(findings, config)
    every = Part((), tuple(range(len(findings.measured[0].mean))))
    return {
        "real": summary.real(),
        "whole": summary.of(every),
        "parts": {name: summary.of(part) for name, part in parts.items()},
    }


def case_scatter(measured: Measured, copies: Sequence[int]) -> float:
    """Return the scatter of a case's copies in the features of its judge."""
    features = measured.features[list(copies)]
    return scatter(features) if features.shape[1] else math.nan


def case_diversity(measured: Measured, copies: Sequence[int]) -> float:
    """Return the mean distance of a case's copies among each other, NaN for fewer than two."""
    apart = measured.apart[np.ix_(copies, copies)]
    count = len(copies)
    return float((apart.sum() - np.trace(apart)) / (count * (count - 1))) if count > 1 else math.nan


class _Summary:
    """Computes the statistics of real images, and of some of the copies."""

    def __init__(self, findings: Findings, config: AuditConfig) -> None:
        reference = findings.reference
        self.findings, self.reference, self.config = findings, reference, config
        self.bootstrap = ClusterBootstrap(
            reference.groups, draws=config.draws, seed=config.seed, purpose=("audit", "bootstrap")
        )
        # The kernel's unit is the root mean square of the real images' features.
        self.scale = float(np.sqrt(np.mean(reference.pooled.astype(np.float64) ** 2))) or 1.0
        self.pooled = self._scaled(reference.pooled)

    def real(self) -> dict[str, Any]:
        """Return the statistics of the real images."""
        reference, ratio = self.reference, self.reference.neighbours.ratio
        known = [row[np.isfinite(row)] for row in reference.between_groups]
        first = reference.codes % 2 == 0
        # What KID is where nothing differs: every second group against the others.
        halves = [Sample(self.pooled[half], reference.codes[half]) for half in (first, ~first)]
        return {
            "agreement": self._mean(reference.mean),
            "agreement_by_class": self._by_class(reference.agreement),
            "distance": self._mean([row.mean() if len(row) else math.nan for row in known]),
            "ratio": {
                "q05": json_number(float(np.quantile(ratio, 0.05))),
                "median": json_number(float(np.median(ratio))),
            },
            "kid": self._kid(*halves),
        }

    def of(self, part: Part) -> dict[str, Any]:
        """Return the statistics of the copies of a part."""
        measured, copies = self.findings.measured, list(part.copies)
        pooled = self._scaled(np.concatenate([case.pooled[copies] for case in measured]))
        codes = np.repeat(self.reference.codes, len(copies))
        marks = self._marks(part)
        limit = self.findings.rules.memorisation.duplicate
        return {
            "copies": len(copies) * len(measured),
            "traits": list(part.traits),
            "agreement": self._mean([case.mean[copies].mean() for case in measured]),
            "agreement_by_class": self._by_class(
                np.array([case.agreement[copies].mean(axis=0) for case in measured])
            ),
            "diversity": self._mean([case_diversity(case, copies) for case in measured]),
            "distance_own": self._mean([case.own[copies].mean() for case in measured]),
            "ssim_own": self._mean([case.ssim[copies].mean() for case in measured]),
            "kid": self._kid(Sample(pooled, codes), Sample(self.pooled, self.reference.codes)),
            "fid": json_number(fid(pooled, self.pooled)),
            "near_duplicates": int(sum((case.first[copies] <= limit).sum() for case in measured)),
            "marked": {reason: marks[reason] for reason in REASONS},
            "dispersion": self._dispersion(copies),
        }

    def _marks(self, part: Part) -> Counter[str]:
        return Counter(
            reason
            for copies in self.findings.marks.values()
            for number, reasons in copies.items()
            for reason in reasons
            if number in part.copies
        )

    def _dispersion(self, copies: list[int]) -> dict[str, Any]:
        made = np.array([case_scatter(case, copies) for case in self.findings.measured])
        real = np.array([value for value, _ in self.findings.scatter])
        known, stacked = np.isfinite(made) & np.isfinite(real), made / math.sqrt(len(copies))
        divided = known & (real > 0)
        return {
            "sigma_g": self._mean(made),
            "sigma": self._mean(real),
            "ratio": self._mean(np.where(divided, stacked / np.where(divided, real, 1.0), np.nan)),
            "holds": self._mean(np.where(known, stacked <= real, np.nan)),
        }

    def _mean(self, values: Sequence[float] | Floats) -> dict[str, float | None]:
        return self.bootstrap.interval(values).to_dict()

    def _by_class(self, table: Floats) -> dict[str, dict[str, float | None]]:
        """Return the mean of each class of a table (case, class)."""
        columns = zip(self.findings.classes, table.T, strict=True)
        return {name: self._mean(column) for name, column in columns}

    def _kid(self, images: Sample, real: Sample) -> dict[str, float | None]:
        return kid(images, real, draws=self.config.draws, seed=self.config.seed).to_dict()

    def _scaled(self, pooled: Vectors) -> Floats:
        return (pooled / self.scale).astype(np.float64)
