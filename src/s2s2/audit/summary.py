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
from s2s2.core.types import Floats
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
    """Return the figures "real", "whole" and "parts", ready for JSON."""
    reference = findings.reference
    bootstrap = ClusterBootstrap(
        reference.groups, draws=config.draws, seed=config.seed, purpose=("audit", "bootstrap")
    )
    scale = _scale(reference)
    figures = _Figures(findings, bootstrap, config, scale)
    every = Part((), tuple(range(len(findings.measured[0].mean))))
    return {
        "real": _real(reference, findings.classes, bootstrap, config, scale),
        "whole": figures.of(every),
        "parts": {name: figures.of(part) for name, part in parts.items()},
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


class _Figures:
    """Computes the figures of some of the copies."""

    def __init__(
        self, findings: Findings, bootstrap: ClusterBootstrap, config: AuditConfig, scale: float
    ) -> None:
        self.findings = findings
        self.bootstrap = bootstrap
        self.config = config
        self.scale = scale

    def of(self, part: Part) -> dict[str, Any]:
        """Return the figures of the copies of a part."""
        measured, copies = self.findings.measured, list(part.copies)
        mean = self.bootstrap.interval
        by_class = np.array([_nanmean(case.agreement[copies]) for case in measured])
        marks = self._marks(part)
        line = self.findings.rules.memorisation.duplicate
        return {
            "copies": len(copies) * len(measured),
            "traits": list(part.traits),
            "agreement": mean([case.mean[copies].mean() for case in measured]).to_dict(),
            "agreement_by_class": {
                name: mean(column).to_dict()
                for name, column in zip(self.findings.classes, by_class.T, strict=True)
            },
            "diversity": mean([case_diversity(case, copies) for case in measured]).to_dict(),
            "distance_own": mean([case.own[copies].mean() for case in measured]).to_dict(),
            "ssim_own": mean([case.ssim[copies].mean() for case in measured]).to_dict(),
            **self._distribution(copies),
            "near_duplicates": int(sum((case.first[copies] <= line).sum() for case in measured)),
            "marked": {reason: marks[reason] for reason in REASONS},
            "dispersion": self._dispersion(copies),
        }

    def _marks(self, part: Part) -> Counter[str]:
        mine = set(part.copies)
        return Counter(
            reason
            for copies in self.findings.marks.values()
            for number, reasons in copies.items()
            for reason in reasons
            if number in mine
        )

    def _distribution(self, copies: list[int]) -> dict[str, Any]:
        reference = self.findings.reference
        made = np.concatenate([case.pooled[copies] for case in self.findings.measured]) / self.scale
        real = reference.pooled / self.scale
        distance = kid(
            Sample(made.astype(np.float64), np.repeat(reference.codes, len(copies))),
            Sample(real.astype(np.float64), reference.codes),
            draws=self.config.draws,
            seed=self.config.seed,
        )
        return {
            "kid": distance.to_dict(),
            "fid": json_number(fid(made.astype(np.float64), real.astype(np.float64))),
        }

    def _dispersion(self, copies: list[int]) -> dict[str, Any]:
        made = np.array([case_scatter(case, copies) for case in self.findings.measured])
        real = np.array([value for value, _ in self.findings.scatter])
        known = np.isfinite(made) & np.isfinite(real)
        share = np.full(len(made), math.nan)
        holds = np.full(len(made), math.nan)
        stacked = made[known] / math.sqrt(len(copies))
        share[known] = np.divide(
            stacked, real[known], out=np.full_like(stacked, np.nan), where=real[known] > 0
        )
        holds[known] = stacked <= real[known]
        mean = self.bootstrap.interval
        return {
            "sigma_g": mean(made).to_dict(),
            "sigma": mean(real).to_dict(),
            "ratio": mean(share).to_dict(),
            "holds": mean(holds).to_dict(),
        }


def _real(
    reference: Reference,
    classes: tuple[str, ...],
    bootstrap: ClusterBootstrap,
    config: AuditConfig,
    scale: float,
) -> dict[str, Any]:
    apart = reference.between_groups
    far = [float(row[np.isfinite(row)].mean()) if np.isfinite(row).any() else math.nan for row in apart]
    ratio = reference.neighbours.ratio
    return {
        "agreement": bootstrap.interval(reference.mean).to_dict(),
        "agreement_by_class": {
            name: bootstrap.interval(column).to_dict()
            for name, column in zip(classes, reference.agreement.T, strict=True)
        },
        "distance": bootstrap.interval(far).to_dict(),
        "ratio": {
            "q05": json_number(float(np.quantile(ratio, 0.05))),
            "median": json_number(float(np.median(ratio))),
        },
        "kid": _between_halves(reference, config, scale),
    }


def _between_halves(reference: Reference, config: AuditConfig, scale: float) -> dict[str, Any]:
    """Return the KID of every second group against the others: what it is where nothing differs."""
    features = (reference.pooled / scale).astype(np.float64)
    first = reference.codes % 2 == 0
    halves = [Sample(features[half], reference.codes[half]) for half in (first, ~first)]
    return kid(*halves, draws=config.draws, seed=config.seed).to_dict()


def _scale(reference: Reference) -> float:
    """Return the root mean square of the real images' features: the kernel's unit."""
    return float(np.sqrt(np.mean(reference.pooled.astype(np.float64) ** 2))) or 1.0


def _nanmean(table: Floats) -> Floats:
    """Mean over the rows that have a value; NaN where none has."""
    there = np.isfinite(table)
    total = np.where(there, table, 0).sum(axis=0)
    empty = np.full(total.shape, np.nan)
    return np.asarray(np.divide(total, there.sum(axis=0), out=empty, where=there.any(axis=0)))
