"""Tables of an audit: one row for each copy, and one for each case."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from s2s2.audit.memorisation import Nearest
from s2s2.audit.rules import Part
from s2s2.audit.summary import Findings, case_diversity, case_scatter

if TYPE_CHECKING:
    import pandas as pd

DIGITS = "%.6g"
"""How the tables give numbers."""


def copies_table(findings: Findings, parts: Mapping[str, Part]) -> pd.DataFrame:
    """Return one row for each copy: agreement, distances, structural similarity and marks."""
    import pandas as pd

    made_by = {number: name for name, part in parts.items() for number in part.copies}
    return pd.DataFrame(
        [
            _copy_row(findings, index, number, made_by.get(number, ""))
            for index in range(len(findings.measured))
            for number in range(len(findings.measured[index].mean))
        ]
    )


def _copy_row(findings: Findings, index: int, number: int, part: str) -> dict[str, Any]:
    reference, measured = findings.reference, findings.measured[index]
    case_id = reference.ids[index]
    near = Nearest(measured.nearest, measured.first, measured.second)
    return {
        "case": case_id,
        "group": reference.groups[index],
        "copy": number,
        "part": part,
        "agreement": measured.mean[number],
        "real_agreement": reference.mean[index],
        **{
            f"agreement_{name}": value
            for name, value in zip(findings.classes, measured.agreement[number], strict=True)
        },
        "distance_own": measured.own[number],
        "nearest_case": reference.ids[measured.nearest[number]],
        "nearest_distance": measured.first[number],
        "ratio": near.ratio[number],
        "ssim_own": measured.ssim[number],
        "marks": ";".join(findings.marks.get(case_id, {}).get(number, ())),
    }


def cases_table(findings: Findings) -> pd.DataFrame:
    """Return one row for each training case: its real image, and the diversity and scatter of its stack."""
    import pandas as pd

    reference = findings.reference
    ratios = reference.neighbours.ratio
    rows = []
    for index, case_id in enumerate(reference.ids):
        measured = findings.measured[index]
        every = range(len(measured.mean))
        sigma, like = findings.scatter[index]
        rows.append(
            {
                "case": case_id,
                "group": reference.groups[index],
                "real_agreement": reference.mean[index],
                **{
                    f"real_agreement_{name}": value
                    for name, value in zip(findings.classes, reference.agreement[index], strict=True)
                },
                "real_ratio": ratios[index] if math.isfinite(ratios[index]) else math.nan,
                "diversity": case_diversity(measured, every),
                "sigma_g": case_scatter(measured, every),
                "sigma": sigma,
                "like": like,
                "kept": len(every) - len(findings.marks.get(case_id, {})),
            }
        )
    return pd.DataFrame(rows)
