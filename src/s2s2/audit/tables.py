"""The two tables of an audit: one row a copy, one row a case."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from s2s2.audit.memorisation import Nearest
from s2s2.audit.parts import Part
from s2s2.audit.summary import Findings, case_diversity, case_scatter

if TYPE_CHECKING:
    import pandas as pd

DIGITS = "%.6g"
"""How the tables give numbers."""


def copies_table(findings: Findings, parts: Mapping[str, Part]) -> pd.DataFrame:
    """Return one row a copy: agreement, distances, likeness and marks."""
    import pandas as pd

    made_by = {number: name for name, part in parts.items() for number in part.copies}
    return pd.DataFrame(
        [
            _copy_row(findings, place, number, made_by.get(number, ""))
            for place in range(len(findings.measured))
            for number in range(len(findings.measured[place].mean))
        ]
    )


def _copy_row(findings: Findings, place: int, number: int, part: str) -> dict[str, Any]:
    reference, measured = findings.reference, findings.measured[place]
    case_id = reference.ids[place]
    near = Nearest(measured.place, measured.first, measured.second)
    return {
        "case": case_id,
        "group": reference.groups[place],
        "copy": number,
        "part": part,
        "agreement": measured.mean[number],
        "real_agreement": reference.mean[place],
        **{
            f"agreement_{name}": value
            for name, value in zip(findings.classes, measured.agreement[number], strict=True)
        },
        "distance_own": measured.own[number],
        "nearest_case": reference.ids[measured.place[number]],
        "nearest_distance": measured.first[number],
        "ratio": near.ratio[number],
        "ssim_own": measured.ssim[number],
        "marks": ";".join(findings.marks.get(case_id, {}).get(number, ())),
    }


def cases_table(findings: Findings) -> pd.DataFrame:
    """Return one row a training case: its real image, and the diversity and scatter of its stack."""
    import pandas as pd

    reference = findings.reference
    ratios = reference.neighbours.ratio
    rows = []
    for place, case_id in enumerate(reference.ids):
        measured = findings.measured[place]
        every = range(len(measured.mean))
        sigma, like = findings.scatter[place]
        rows.append(
            {
                "case": case_id,
                "group": reference.groups[place],
                "real_agreement": reference.mean[place],
                **{
                    f"real_agreement_{name}": value
                    for name, value in zip(findings.classes, reference.agreement[place], strict=True)
                },
                "real_ratio": ratios[place] if math.isfinite(ratios[place]) else math.nan,
                "diversity": case_diversity(measured, every),
                "sigma_g": case_scatter(measured, every),
                "sigma": sigma,
                "like": like,
                "kept": len(every) - len(findings.marks.get(case_id, {})),
            }
        )
    return pd.DataFrame(rows)
